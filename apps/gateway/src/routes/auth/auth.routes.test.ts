import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Browser, createBrowser } from '../../../test/browser.ts';
import { type House, openHouse } from '../../../test/harness.ts';
import { CLIENT, startIdentityProvider, type TestIdentityProvider } from '../../../test/identity-provider.ts';

const SITE = 'http://aigolos.test';
const BOARD = `${SITE}/admin/queues`;
const SESSION_SECONDS = 3_600;
const settingsFor = (issuer: string) => ({
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: CLIENT.id,
  OIDC_CLIENT_SECRET: CLIENT.secret,
  OIDC_OPERATOR_VALUE: 'operators',
  OIDC_ALLOWED_NETWORKS: '127.0.0.1/32',
  SESSION_SECRET: 'a secret of thirty-two characters',
  SESSION_SECONDS: String(SESSION_SECONDS),
  PUBLIC_URL: SITE,
});

const redis = useRedis();
const mongo = useMongo();
let provider: TestIdentityProvider;
let house: House;
let browser: Browser;
beforeAll(async () => {
  provider = await startIdentityProvider(`${SITE}/auth/callback`);
  house = await openHouse(redis, mongo, settingsFor(provider.issuer));
});
afterAll(async () => {
  await house.close();
  await provider.close();
});
beforeEach(() => {
  browser = createBrowser({ [SITE]: house.url });
  provider.person = 'olga';
});
afterEach(() => void vi.useRealTimers());

const isCallback = (url: string) => url.startsWith(`${SITE}/auth/callback`);
const session = (of = browser) => of.cookies(SITE).get('aigolos_session');
const textOf = async (response: Response | undefined) => (await response?.text()) ?? '';

/** A house of its own, with other settings, and a browser before it. */
async function openOther(settings: Record<string, string>): Promise<{ other: House; visitor: Browser }> {
  const other = await openHouse(redis, mongo, settings);
  onTestFinished(() => other.close());
  return { other, visitor: createBrowser({ [SITE]: other.url }) };
}

describe('an operator', () => {
  test('who opens a page is sent to sign in, comes back to it, and stays signed in', async () => {
    const { url, response } = await browser.open(`${BOARD}/queue/asr?status=failed`);
    expect([url, response?.status]).toEqual([`${BOARD}/queue/asr?status=failed`, 200]);
    expect(await textOf(response)).toMatch(/AIGolos queues[^]*\/auth\/logout/);
    expect(session()).toMatchObject({ httpOnly: true, sameSite: 'lax', path: '/', maxAge: SESSION_SECONDS });
    expect(browser.cookies(SITE).has('aigolos_sign_in')).toBe(false);
    const data = await browser.request(`${BOARD}/api/queues`, { headers: { accept: 'application/json' } });
    expect([data.status, await data.json()]).toMatchObject([200, { queues: expect.any(Array) }]);
  });

  test('is asked for code, PKCE, state and nonce', async () => {
    const { url } = await browser.open(BOARD, (each) => each.startsWith(provider.issuer));
    expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^.{43}$/),
      state: expect.stringMatching(/^.{43}$/),
      nonce: expect.stringMatching(/^.{43}$/),
      redirect_uri: `${SITE}/auth/callback`,
    });
  });

  test('reads pages with the session, and nothing else', async () => {
    await browser.open(BOARD);
    expect((await browser.request(`${SITE}/v1/jobs`)).status).toBe(401);
    expect((await browser.request(`${SITE}/v1/account`)).status).toBe(401);
    const changing = await browser.request(`${BOARD}/api/queues/asr/pause`, { method: 'PUT' });
    expect(changing.status).toBe(401);
  });

  test('signs out, and no other site can do it', async () => {
    await browser.open(BOARD);
    const kept = session();
    const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    const foreign = await fetch(`${house.url}/auth/logout`, form);
    expect([foreign.status, foreign.headers.getSetCookie()]).toEqual([200, []]);
    expect(await textOf(await browser.request(`${SITE}/auth/logout`))).toContain('<form method="post"');
    expect([session(), (await browser.request(BOARD)).status]).toEqual([kept, 200]);
    const page = await textOf(await browser.request(`${SITE}/auth/logout`, form));
    expect(page).toContain(`${provider.issuer}/session/end?client_id=${CLIENT.id}`);
    expect([session(), (await browser.request(BOARD)).status]).toEqual([undefined, 302]);
  });

  test('whose session has run out is sent to sign in again', async () => {
    await browser.open(BOARD);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + (SESSION_SECONDS + 1) * 1_000 });
    const { status, headers } = await browser.request(BOARD);
    expect([status, headers.get('location')]).toEqual([302, `${SITE}/auth/login?return_to=%2Fadmin%2Fqueues`]);
  });

  test('who came by another name of this installation is sent to the one that the provider knows', async () => {
    const { headers } = await browser.request(`${house.url}/admin/queues`);
    expect(headers.get('location')).toBe(`${SITE}/auth/login?return_to=%2Fadmin%2Fqueues`);
  });

  test('whose page is open while the session runs out is not asked for a key by the browser', async () => {
    const { status, headers } = await browser.request(`${BOARD}/api/queues`, { headers: { accept: '*/*' } });
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="AIGolos"']);
  });
});

describe('who is no operator', () => {
  test('without the claim’s value is told so and gets no session', async () => {
    provider.person = 'uwe';
    const { url, response } = await browser.open(BOARD);
    expect([isCallback(url), response?.status, session()]).toEqual([true, 403, undefined]);
    expect(await textOf(response)).toContain('not as an operator');
  });

  test('and is refused by the provider is told so', async () => {
    provider.person = undefined;
    const { response } = await browser.open(BOARD);
    expect([response?.status, session()]).toEqual([403, undefined]);
    expect(await textOf(response)).toContain('has not signed you in');
  });

  test('and makes up a cookie, changes one, or uses the one of a sign-in that has begun, is not let in', async () => {
    await browser.open(BOARD);
    const value = session()?.value ?? '';
    await browser.open(`${SITE}/auth/login`, isCallback);
    const pending = browser.cookies(SITE).get('aigolos_sign_in')?.value ?? '';
    const changed = value.slice(0, -9) + (value.at(-9) === 'A' ? 'B' : 'A') + value.slice(-8);
    expect([value, pending]).not.toContain('');
    for (const made of ['x', '', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJvbGdhIn0.', changed, pending]) {
      const response = await fetch(`${house.url}/admin/queues`, {
        headers: { accept: 'text/html', cookie: `aigolos_session=${made}` },
        redirect: 'manual',
      });
      expect([made, response.status]).toEqual([made, 302]);
    }
  });
});

describe('an answer of the provider', () => {
  const answerTo = async (of: Browser) => (await of.open(BOARD, isCallback)).url;
  const changed = (url: string, changes: Record<string, string>) => {
    const answer = new URL(url);
    for (const [name, value] of Object.entries(changes)) answer.searchParams.set(name, value);
    return answer.href;
  };
  const take = async (of: Browser, url: string) => {
    const response = await of.request(url);
    return { status: response.status, session: session(of), page: await response.text() };
  };
  const refused = (words: string) => ({ status: 400, session: undefined, page: expect.stringContaining(words) });

  test('with another state is refused', async () => {
    const answer = await answerTo(browser);
    expect(await take(browser, changed(answer, { state: 'another' }))).toEqual(refused('not begun in this browser'));
  });

  test('to somebody else’s sign-in is refused: nobody is signed in as another without knowing', async () => {
    const attacker = createBrowser({ [SITE]: house.url });
    const answer = await answerTo(attacker);
    expect(await take(browser, answer)).toEqual(refused('not begun in this browser'));
    await answerTo(browser);
    expect(await take(browser, answer)).toEqual(refused('not begun in this browser'));
  });

  test('with the code of somebody else’s sign-in is refused', async () => {
    const code = new URL(await answerTo(createBrowser({ [SITE]: house.url }))).searchParams.get('code') ?? '';
    expect(await take(browser, changed(await answerTo(browser), { code }))).toEqual(refused('is not valid'));
  });

  test('is taken once', async () => {
    const answer = await answerTo(browser);
    const pending = browser.cookies(SITE).get('aigolos_sign_in');
    expect((await browser.request(answer)).status).toBe(302);
    const again = createBrowser({ [SITE]: house.url });
    expect(await take(again, answer)).toEqual(refused('not begun in this browser'));
    if (pending) again.cookies(SITE).set('aigolos_sign_in', pending);
    expect(await take(again, answer)).toEqual(refused('has been used already'));
  });

  test('of another issuer is refused', async () => {
    expect(await take(browser, changed(await answerTo(browser), { iss: 'https://another.test' }))).toEqual(
      refused('is not valid'),
    );
  });

  test('after the time to sign in is over is refused', async () => {
    const answer = await answerTo(browser);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    expect(await take(browser, answer)).toEqual(refused('has run out'));
  });

  test('shows nothing of what it says in the page', async () => {
    const answer = changed(await answerTo(browser), { error: 'x', error_description: '<script>alert(1)</script>' });
    const response = await browser.request(answer);
    expect([response.status, session()]).toEqual([403, undefined]);
    expect(await textOf(response)).not.toContain('alert');
  });
});

test.each([
  'https://evil.test/',
  '//evil.test/',
  '/\\evil.test/',
  '/.//evil.test/',
  '/admin/queues/..//evil.test/',
  '\t//evil.test/',
  'javascript:alert(1)',
  'http://aigolos.test@evil.test/admin/queues',
  'http://aigolos.test.evil.test/admin/queues',
  '/auth/logout',
  '/v1/jobs',
  `/admin/queues?${'x'.repeat(4_000)}`,
])('return_to=%s leads to no other place', async (wanted) => {
  const { url, response } = await browser.open(`${SITE}/auth/login?return_to=${encodeURIComponent(wanted)}`);
  expect([url, response?.status]).toEqual([BOARD, 200]);
});

describe('a provider', () => {
  const metadataOf = (issuer: string, others: Record<string, string> = {}) => ({
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    ...others,
  });
  const serve = async (host: string, answer: (own: string) => unknown) => {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer(url)));
    }).listen(0, host);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const url = `http://${host}:${(server.address() as AddressInfo).port}`;
    return { url, requests };
  };

  test('that is away is told in a page, once it is back all is well, and keys work meanwhile', async () => {
    const away = await startIdentityProvider(`${SITE}/auth/callback`);
    await away.close();
    const { other, visitor } = await openOther(settingsFor(away.issuer));
    const { response } = await visitor.open(BOARD);
    expect([response?.status, response?.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
    expect(await textOf(response)).toContain('cannot be reached');
    expect((await other.call('/admin/queues', { key: other.keys.admin })).status).toBe(200);
    const basic = { authorization: `Basic ${btoa(`me:${other.keys.admin}`)}` };
    expect((await other.call('/admin/queues', { headers: basic })).status).toBe(200);
    const asked = await visitor.request(`${BOARD}?key`);
    expect([asked.status, asked.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="AIGolos"']);
    expect((await other.call('/v1/models')).status).toBe(200);
    const back = await startIdentityProvider(`${SITE}/auth/callback`, Number(new URL(away.issuer).port));
    onTestFinished(() => back.close());
    back.person = 'olga';
    expect((await visitor.open(BOARD)).response?.status).toBe(200);
  });

  test('whose description names another issuer is not used', async () => {
    const { url } = await serve('127.0.0.1', () => metadataOf('https://another.test'));
    const { visitor } = await openOther(settingsFor(url));
    expect((await visitor.open(BOARD)).response?.status).toBe(503);
  });

  test('in a network that the operator has not allowed hears nothing', async () => {
    const { OIDC_ALLOWED_NETWORKS: _, ...settings } = settingsFor(provider.issuer);
    const heard = provider.requests.length;
    const { visitor } = await openOther(settings);
    expect((await visitor.open(BOARD)).response?.status).toBe(503);
    expect(provider.requests).toHaveLength(heard);
  });

  test('that sends us to a machine that the operator has not allowed does not get us there', async () => {
    const inside = await serve('127.8.8.8', () => ({}));
    const { url } = await serve('127.0.0.1', (own) => metadataOf(own, { token_endpoint: `${inside.url}/token` }));
    const { visitor } = await openOther(settingsFor(url));
    const { url: question } = await visitor.open(BOARD, (each) => each.startsWith(url));
    const state = new URL(question).searchParams.get('state');
    const response = await visitor.request(`${SITE}/auth/callback?code=x&state=${state}`);
    expect([response.status, inside.requests]).toEqual([503, []]);
  });
});

test('without a provider there is nothing to sign in to, and a browser asks for the key', async () => {
  const { visitor } = await openOther({});
  for (const path of ['/auth/login', '/auth/callback', '/auth/logout']) {
    expect((await visitor.request(SITE + path)).status).toBe(404);
  }
  const { status, headers } = await visitor.request(BOARD);
  expect([status, headers.get('www-authenticate')]).toEqual([401, 'Basic realm="AIGolos"']);
});
