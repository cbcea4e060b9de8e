import { inspect } from 'node:util';
import { loadConfig } from '@aigolos/runtime';
import Fastify from 'fastify';
import { ClientError, ResponseBodyError } from 'openid-client';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createSealedCookie } from './sealed-cookie.ts';
import { signInConfig, signInSettings } from './sign-in-config.ts';
import { explain } from './sign-in-errors.ts';

const COMPLETE = {
  OIDC_ISSUER: 'https://id.test/realms/one',
  OIDC_CLIENT_ID: 'aigolos',
  OIDC_CLIENT_SECRET: 'secret',
  OIDC_OPERATOR_VALUE: 'operators',
  SESSION_SECRET: 'a secret of thirty-two characters',
  PUBLIC_URL: 'https://voice.test',
};
const settingsOf = (env: Record<string, string | undefined>) => signInSettings(loadConfig(z.object(signInConfig), env));

test('without an issuer there is nothing to sign in with', () => {
  expect(settingsOf({})).toBeUndefined();
  expect(settingsOf({ PUBLIC_URL: 'https://voice.test' })).toBeUndefined();
});

test.each(Object.keys(COMPLETE))('the configuration is refused without %s', (name) => {
  expect(() => settingsOf({ ...COMPLETE, [name]: undefined })).toThrow(`${name} must be set`);
});

test('the address of this installation has no path', () => {
  expect(() => settingsOf({ ...COMPLETE, PUBLIC_URL: 'https://voice.test/aigolos' })).toThrow('https://voice.test.');
});

test('a short secret is refused, and not repeated', () => {
  expect(() => settingsOf({ ...COMPLETE, SESSION_SECRET: 'hunter2' })).toThrow(/SESSION_SECRET/);
  expect(() => settingsOf({ ...COMPLETE, SESSION_SECRET: 'hunter2' })).not.toThrow(/hunter2/);
});

/** What a browser is given, and what is read of it by settings that differ so. */
async function passedOn(changes: Record<string, string>, name = 'test'): Promise<{ setCookie: string; read: unknown }> {
  const options = { name: 'test', seconds: 60, schema: z.object({ sub: z.string() }) };
  const [given, changed] = [COMPLETE, { ...COMPLETE, ...changes }].map((env) => {
    const settings = settingsOf(env);
    if (!settings) throw new Error('signing in is configured');
    return settings;
  });
  if (!given || !changed) throw new Error('there are two');
  const app = Fastify();
  app.get('/write', async (_request, reply) => {
    await createSealedCookie(options, given).write(reply, { sub: 'olga' });
    return {};
  });
  app.get('/read', async (request) => ({
    read: await createSealedCookie({ ...options, name }, changed).read(request),
  }));
  const setCookie = String((await app.inject('/write')).headers['set-cookie']);
  const cookie = setCookie.split(';', 1)[0]?.replace(/test=/, `${name}=`) ?? '';
  const { read } = (await app.inject({ url: '/read', headers: { cookie } })).json();
  return { setCookie, read };
}

test('behind https a cookie is for https and this host alone, and says nothing to those who read it', async () => {
  const { setCookie, read } = await passedOn({});
  expect(setCookie).toMatch(/^__Host-test=[^;]+; Max-Age=60; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  expect(setCookie).not.toMatch('olga');
  expect(read).toMatchObject({ sub: 'olga' });
});

test.each([
  ['sealed with another secret', { SESSION_SECRET: 'another secret of thirty-two signs' }, 'test'],
  ['of another provider', { OIDC_ISSUER: 'https://id.test/realms/two' }, 'test'],
  ['for another purpose', {}, 'other'],
])('a cookie %s is none', async (_, changes, name) => {
  expect((await passedOn(changes, name)).read).toBeUndefined();
});

test.each([
  [
    'VALIDATION_FAILED',
    Object.assign(new ClientError('invalid', { cause: { body: { id_token: 'SECRET' } } }), {
      code: 'OAUTH_INVALID_RESPONSE',
    }),
  ],
  ['VALIDATION_FAILED', refusalOf({ error: 'invalid_grant', error_description: 'the code SECRET is used' })],
  ['SERVICE_UNAVAILABLE', refusalOf({ error: 'invalid_client', client_secret: 'SECRET' })],
  [
    'SERVICE_UNAVAILABLE',
    new ClientError('failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED', token: 'SECRET' }) }),
  ],
])('what the library knows of a failure (%s) is told to the log without codes and tokens', (code, error) => {
  const explained = explain(error);
  expect(explained.code).toBe(code);
  expect(inspect(explained, { depth: Infinity })).not.toContain('SECRET');
  expect(inspect(explained.cause)).toMatch(/OAUTH_INVALID_RESPONSE|invalid_grant|invalid_client|ECONNREFUSED/);
});

function refusalOf(cause: { error: string } & Record<string, string>): ResponseBodyError {
  return new ResponseBodyError('the server refused', { cause, response: new Response(null, { status: 400 }) });
}
