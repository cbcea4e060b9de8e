import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIdentityProvider } from './identity-provider.ts';

/** A provider on loopback whose tokens are the test's. */
let issuer: string;
let idToken: string;
let userInfo: object;
const server = createServer((request, response) => {
  const answers: Record<string, () => unknown> = {
    '/.well-known/openid-configuration': () => ({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      id_token_signing_alg_values_supported: ['RS256'],
    }),
    '/jwks': () => ({ keys: [{ ...publicJwk, kid: 'one', alg: 'RS256', use: 'sig' }] }),
    '/token': () => ({ access_token: 'x', token_type: 'bearer', id_token: idToken }),
    '/userinfo': () => userInfo,
  };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(answers[request.url ?? '']?.()));
});
const { privateKey, publicKey } = await generateKeyPair('RS256');
const other = await generateKeyPair('RS256');
const publicJwk = await exportJWK(publicKey);
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

interface Forgery {
  claims?: JWTPayload;
  key?: typeof privateKey;
  expired?: true;
  unsigned?: true;
  /** Which of the answers of the UserInfo endpoint. */
  about?: object;
}

/** Signs in with a token that is right but for the forgery. */
async function signIn({ claims, key = privateKey, expired, unsigned, about = { sub: 'olga' } }: Forgery) {
  const provider = createIdentityProvider({
    issuer: new URL(issuer),
    clientId: 'aigolos',
    clientSecret: 'secret',
    scope: 'openid',
    operatorClaim: 'groups',
    operatorValue: 'operators',
    allowed: { networks: ['127.0.0.1/32'], hosts: [] },
    sessionSecret: 'a secret of thirty-two characters',
    sessionSeconds: 60,
    publicUrl: new URL('http://aigolos.test'),
  });
  const { pending } = await provider.begin();
  const right = { iss: issuer, sub: 'olga', aud: 'aigolos', nonce: pending.nonce, groups: ['operators'], ...claims };
  const signed = new SignJWT(right).setProtectedHeader({ alg: 'RS256', kid: 'one' }).setIssuedAt();
  const unsecured = new UnsecuredJWT(right).setIssuedAt().setExpirationTime('1m').encode();
  idToken = unsigned ? unsecured : await signed.setExpirationTime(expired ? '-1h' : '1m').sign(key);
  userInfo = about;
  const callback = new URL(`http://aigolos.test/auth/callback?code=x&state=${pending.state}`);
  return provider.finish(callback, { ...pending, returnTo: callback.href });
}

test('a token that is right tells who it is, and whether they are an operator', async () => {
  expect(await signIn({})).toEqual({ subject: 'olga', isOperator: true });
  expect(await signIn({ claims: { groups: 'operators' } })).toEqual({ subject: 'olga', isOperator: true });
  for (const groups of [[], ['operator', 'operators2', 'Operators'], 'all operators', { operators: true }, null, 7]) {
    expect(await signIn({ claims: { groups } })).toEqual({ subject: 'olga', isOperator: false });
  }
});

test('the claim is asked for where the token does not have it, of the same person', async () => {
  const claims = { groups: undefined };
  expect(await signIn({ claims })).toEqual({ subject: 'olga', isOperator: false });
  expect(await signIn({ claims, about: { sub: 'olga', groups: ['operators'] } })).toMatchObject({ isOperator: true });
  await expect(signIn({ claims, about: { sub: 'uwe', groups: ['operators'] } })).rejects.toThrow('is not valid');
});

const FORGERIES: Record<string, Forgery> = {
  'signed with another key': { key: other.privateKey },
  'without a signature': { unsigned: true },
  'of another issuer': { claims: { iss: 'https://another.test' } },
  'for another client': { claims: { aud: 'another' } },
  'for another sign-in': { claims: { nonce: 'another' } },
  'without a nonce': { claims: { nonce: undefined } },
  'whose time is over': { expired: true },
};
test.each(Object.entries(FORGERIES))('a token %s is refused', async (_, forgery) => {
  await expect(signIn(forgery)).rejects.toMatchObject({
    name: expect.stringMatching(/ValidationError|UnavailableError/),
  });
});
