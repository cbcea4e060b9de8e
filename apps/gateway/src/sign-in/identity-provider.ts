import { createEgress, createEgressFetch, createEgressRules } from '@aigolos/egress';
import * as oidc from 'openid-client';
import { z } from 'zod';
import type { SignInSettings } from './sign-in-config.ts';
import { explain, notBegunHere, providerAway } from './sign-in-errors.ts';

export const CALLBACK_PATH = '/auth/callback';

/** What is remembered of a browser while it is at the provider. */
export const PendingSignInSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  /** Where it goes afterwards: a URL of ours. */
  returnTo: z.url(),
});
export type PendingSignIn = z.infer<typeof PendingSignInSchema>;

export interface Identity {
  /** The provider's lasting id of the person. */
  subject: string;
  isOperator: boolean;
}

/** An OpenID Connect provider: authorization code flow with PKCE, state and nonce. */
export interface IdentityProvider {
  /** @throws UnavailableError where the provider does not answer as it should. */
  begin(): Promise<{ url: URL; pending: Omit<PendingSignIn, 'returnTo'> }>;
  /**
   * Who it is that came back to `callback`, which is taken once.
   * @throws ValidationError where the answer belongs to no sign-in of this browser, or was taken already; AuthError where the provider
   * refused; UnavailableError.
   */
  finish(callback: URL, pending: PendingSignIn): Promise<Identity>;
  /** Where the session with the provider itself can be ended, where it has such a page. */
  signOutUrl(): Promise<URL | undefined>;
}

/** Discovery, tokens, keys and claims are all asked for under these. */
const LIMITS = { timeoutMs: 10_000, maxBytes: 1_000_000 };

export function createIdentityProvider(
  settings: SignInSettings,
  egress = createEgress(createEgressRules(settings.allowed)),
): IdentityProvider {
  const { issuer, clientId, operatorClaim, operatorValue, scope, publicUrl } = settings;
  const options: oidc.DiscoveryRequestOptions = {
    [oidc.customFetch]: createEgressFetch(egress, LIMITS) as oidc.CustomFetch,
    execute: [
      // Tokens come over a connection that is checked already; this holds over http within a network, too.
      oidc.enableNonRepudiationChecks,
      // The rules of what goes out allow http only in the operator's own network.
      ...(issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
    ],
  };
  let discovering: Promise<oidc.Configuration> | undefined;

  /** Asked when it is first needed, so that the gateway starts without the provider; a failure is not kept. */
  function discover(): Promise<oidc.Configuration> {
    discovering ??= oidc
      .discovery(issuer, clientId, undefined, clientSecret(settings.clientSecret), options)
      .catch((error: unknown) => {
        discovering = undefined;
        throw providerAway(error);
      });
    return discovering;
  }

  async function claimOf(configuration: oidc.Configuration, tokens: Tokens, subject: string): Promise<unknown> {
    const stated = tokens.claims()?.[operatorClaim];
    if (stated !== undefined || !configuration.serverMetadata().userinfo_endpoint) return stated;
    return (await oidc.fetchUserInfo(configuration, tokens.access_token, subject))[operatorClaim];
  }

  return {
    async begin() {
      const configuration = await discover();
      const pending = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        codeVerifier: oidc.randomPKCECodeVerifier(),
      };
      const url = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: new URL(CALLBACK_PATH, publicUrl).href,
        scope,
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(pending.codeVerifier),
        code_challenge_method: 'S256',
      });
      return { url, pending };
    },

    async finish(callback, { state, nonce, codeVerifier }) {
      if (callback.searchParams.get('state') !== state) throw notBegunHere();
      const configuration = await discover();
      try {
        const tokens = await oidc.authorizationCodeGrant(configuration, callback, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        });
        const subject = tokens.claims()?.sub ?? '';
        const stated = await claimOf(configuration, tokens, subject);
        return { subject, isOperator: [stated].flat().includes(operatorValue) };
      } catch (error) {
        throw explain(error);
      }
    },

    async signOutUrl() {
      const configuration = await discover();
      return configuration.serverMetadata().end_session_endpoint
        ? oidc.buildEndSessionUrl(configuration, {})
        : undefined;
    },
  };
}

type Tokens = Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;

/** In the way that the provider takes it; in the header where it does not say. */
function clientSecret(secret: string): oidc.ClientAuth {
  const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (methods.includes('client_secret_basic') ? basic : post)(server, client, body, headers);
  };
}
