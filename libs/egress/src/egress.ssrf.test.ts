import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkThenFetch } from '../test/check-then-fetch.ts';
import { type Canaries, resolverOf, startCanaries } from './conformance/canaries.ts';
import { describeEgress } from './conformance/describe-egress.ts';
import { OUTSIDE, VECTORS } from './conformance/vectors.ts';
import { createEgress, type Egress } from './egress.ts';
import { createEgressFetch } from './egress-fetch.ts';
import { createEgressRules } from './egress-rules.ts';
import { startFakeNameServer } from './name-server.fake.ts';
import { createNameResolver } from './resolve-name.ts';

const TIMEOUT_MS = 300;
const rules = createEgressRules({ networks: [`${OUTSIDE}/32`] });

async function get(url: string, egress: Egress): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await egress.request(new URL(url), { method: 'GET', headers: {}, signal });
  answer.resume();
}

describeEgress('a request', get);

describeEgress('fetch', async (url, egress) => {
  const response = await createEgressFetch(egress, { timeoutMs: TIMEOUT_MS, maxBytes: 1_000 })(url);
  await response.text();
});

describe('what is no way at all', () => {
  test.concurrent.each(VECTORS.filter(({ leadsElsewhere }) => !leadsElsewhere))('$url is refused', async (vector) => {
    const url = vector.url.replace('PORT', '1024');
    const sent = get(url, createEgress(rules, resolverOf(vector)));
    const refused = { name: 'EgressRefusedError', message: expect.stringMatching(/^(must|cannot be reached: )/) };
    await expect(sent).rejects.toMatchObject(URL.canParse(url) ? refused : { code: 'ERR_INVALID_URL' });
  });

  test('a name that stands for another one is what that is, at a real name server', async () => {
    const server = await startFakeNameServer({ 'alias.test': ['localhost', '127.0.0.1'], 'six.test': ['::1'] });
    const resolve = createNameResolver({ asksSystem: true, servers: [server.address] });
    for (const name of ['alias.test', 'six.test', 'localhost']) {
      await expect(get(`https://${name}/`, createEgress(rules, resolve))).rejects.toThrow('cannot be reached');
    }
    server.close();
  });
});

describe('a guard that checks first, and then lets a client fetch', () => {
  let canaries: Canaries;
  beforeAll(async () => {
    canaries = await startCanaries();
  });
  afterAll(() => canaries.close());

  test('is caught by the same vectors: those that rebind, and those that redirect', async () => {
    const caught: string[] = [];
    for (const vector of VECTORS) {
      const before = canaries.heard();
      const resolve = resolverOf(vector);
      await checkThenFetch(canaries.urlOf(vector), { rules, resolve, timeoutMs: TIMEOUT_MS }).catch(() => {});
      if (canaries.heard() > before) caught.push(vector.url);
    }
    const fooling = VECTORS.filter(({ foolsCheckThenFetch }) => foolsCheckThenFetch).map(({ url }) => url);
    expect(fooling.length).toBeGreaterThan(20);
    expect(caught).toEqual(fooling);
  });
});
