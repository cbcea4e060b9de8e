import { AIGolosError } from '@aigolos/contracts';
import { hostsVar, intVar, networksVar, requiredSetting } from '@aigolos/runtime';
import { z } from 'zod';

/** Signing in with an identity provider. Without OIDC_ISSUER nothing of it exists. */
export const signInConfig = {
  OIDC_ISSUER: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('OpenID Connect provider with which operators sign in to /admin pages; with a key alone where absent'),
  OIDC_CLIENT_ID: z.string().optional().describe('what the provider knows this installation as'),
  OIDC_CLIENT_SECRET: z.string().optional().describe('its secret there'),
  OIDC_SCOPE: z
    .string()
    .default('openid profile')
    .describe('what is asked for; the provider may need a scope for the claim'),
  OIDC_OPERATOR_CLAIM: z
    .string()
    .default('groups')
    .describe('the claim that tells operators from others: a text or a list'),
  OIDC_OPERATOR_VALUE: z.string().optional().describe('what it is, or has in it, of an operator'),
  OIDC_ALLOWED_NETWORKS: networksVar.describe(
    'networks that are not public and yet may be those of the provider, by http too: a list in CIDR notation',
  ),
  OIDC_ALLOWED_HOSTS: hostsVar.describe(
    'names of the provider whose addresses need not be public, by http too: a list',
  ),
  SESSION_SECRET: z
    .string()
    .min(32)
    .optional()
    .describe('seals the cookies of those who have signed in: 32 characters or more, the same for all gateways'),
  SESSION_SECONDS: intVar
    .min(60)
    .max(86_400)
    .default(3_600)
    .describe('how long a browser stays signed in before the provider is asked again'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('where browsers reach this installation; needed for signing in'),
};

type Config = z.infer<z.ZodObject<typeof signInConfig>>;

export interface SignInSettings {
  issuer: URL;
  clientId: string;
  clientSecret: string;
  scope: string;
  /** Who has this value in this claim is an operator. */
  operatorClaim: string;
  operatorValue: string;
  /** What is not public and yet may be the provider's. */
  allowed: { networks: readonly string[]; hosts: readonly string[] };
  sessionSecret: string;
  sessionSeconds: number;
  /** Without a path. */
  publicUrl: URL;
}

/**
 * What signing in needs; `undefined` where it is not wanted.
 * @throws AIGolosError `CONFIG_INVALID` where a part is missing, or is there without OIDC_ISSUER.
 */
export function signInSettings(config: Config): SignInSettings | undefined {
  if (config.OIDC_ISSUER === undefined) {
    if (config.OIDC_CLIENT_ID !== undefined) requiredSetting(undefined, 'OIDC_ISSUER', 'OIDC_CLIENT_ID');
    return undefined;
  }
  const needed = (
    name: 'OIDC_CLIENT_ID' | 'OIDC_CLIENT_SECRET' | 'OIDC_OPERATOR_VALUE' | 'SESSION_SECRET' | 'PUBLIC_URL',
  ) => {
    return requiredSetting(config[name], name, 'OIDC_ISSUER');
  };
  const publicUrl = new URL(needed('PUBLIC_URL'));
  if (publicUrl.href !== `${publicUrl.origin}/`) {
    throw new AIGolosError(`PUBLIC_URL must be scheme, name and port alone, such as ${publicUrl.origin}.`, {
      code: 'CONFIG_INVALID',
    });
  }
  return {
    issuer: new URL(config.OIDC_ISSUER),
    clientId: needed('OIDC_CLIENT_ID'),
    clientSecret: needed('OIDC_CLIENT_SECRET'),
    scope: config.OIDC_SCOPE,
    operatorClaim: config.OIDC_OPERATOR_CLAIM,
    operatorValue: needed('OIDC_OPERATOR_VALUE'),
    allowed: { networks: config.OIDC_ALLOWED_NETWORKS, hosts: config.OIDC_ALLOWED_HOSTS },
    sessionSecret: needed('SESSION_SECRET'),
    sessionSeconds: config.SESSION_SECONDS,
    publicUrl,
  };
}
