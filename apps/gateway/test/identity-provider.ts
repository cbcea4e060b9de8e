import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export interface TestIdentityProvider {
  issuer: string;
  /** The id of the person who sits before the browser, and is asked nothing; `undefined` refuses to sign in. */
  person: string | undefined;
  /** One `<method> <path>` a request, in order. */
  requests: string[];
  close(): Promise<void>;
}

export const CLIENT = { id: 'aigolos', secret: 'of-this-client-alone' };
const PEOPLE: Record<string, string[]> = { olga: ['staff', 'operators'], uwe: ['staff'] };

/** A real OpenID Connect provider on loopback that knows Olga, an operator, and Uwe, who is none. */
export async function startIdentityProvider(redirectUri: string, port = 0): Promise<TestIdentityProvider> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], profile: ['groups'] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, groups: PEOPLE[id] }) }),
    // Nobody is asked whether this client may know them.
    async loadExistingGrant({ oidc }) {
      const grant = new provider.Grant({ clientId: CLIENT.id, accountId: oidc.session?.accountId ?? '' });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    features: { devInteractions: { enabled: false } },
    cookies: { keys: ['of the tests'] },
    ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  });
  const given: TestIdentityProvider = {
    issuer,
    person: undefined,
    requests: [],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const handle = provider.callback();
  server.on('request', (request, response) => {
    given.requests.push(`${request.method} ${request.url?.split('?', 1)[0]}`);
    if (!request.url?.startsWith('/interaction/')) return void handle(request, response);
    const result = given.person === undefined ? { error: 'access_denied' } : { login: { accountId: given.person } };
    void provider.interactionFinished(request, response, result);
  });
  return given;
}
