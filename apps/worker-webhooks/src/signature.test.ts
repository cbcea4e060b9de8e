import { randomBytes } from 'node:crypto';
import OpenAI from 'openai';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, test } from 'vitest';
import { signedHeaders } from './signature.ts';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const DELIVERY = {
  event: 'evt_trn_1_completed',
  body: '{"id":"evt_trn_1_completed","object":"event","data":{"id":"trn_1","text":"größer ✓"}}',
};
const HOUR_MS = 3_600_000;
type Verify = (body: string, headers: Record<string, string>, secret: string) => unknown;

const verifiers: Record<string, Verify> = {
  standardwebhooks: (body, headers, secret) => new StandardWebhook(secret).verify(body, headers),
  // It answers nothing, and throws where it does not agree.
  svix(body, headers, secret) {
    new SvixWebhook(secret).verify(body, headers);
    return JSON.parse(body);
  },
  'the openai SDK': (body, headers, secret) => new OpenAI({ apiKey: 'none' }).webhooks.unwrap(body, headers, secret),
};

describe.each(Object.entries(verifiers))('%s', (_, verify) => {
  const check = async (body: string, headers: Record<string, string>, secret: string) => verify(body, headers, secret);
  const current = newSecret();
  const headers = signedHeaders(DELIVERY, { current }, new Date());

  test('takes what was signed', async () => {
    expect(await check(DELIVERY.body, headers, current)).toEqual(JSON.parse(DELIVERY.body));
  });

  test('during a rotation takes it by either secret, after it by the new one alone', async () => {
    const previous = newSecret();
    const now = new Date();
    const during = { current, previous, previousUntil: new Date(now.getTime() + HOUR_MS) };
    const rotating = signedHeaders(DELIVERY, during, now);
    expect(rotating['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const secret of [current, previous]) await check(DELIVERY.body, rotating, secret);
    const over = signedHeaders(DELIVERY, { ...during, previousUntil: now }, now);
    await check(DELIVERY.body, over, current);
    await expect(check(DELIVERY.body, over, previous)).rejects.toThrow(Error);
  });

  test.each([
    ['another body', DELIVERY.body.replace('trn_1"', 'trn_2"'), {}],
    ['another id', DELIVERY.body, { 'webhook-id': 'evt_trn_2_completed' }],
    ['another time', DELIVERY.body, { 'webhook-timestamp': String(Math.floor(Date.now() / 1_000) + 1) }],
    ['no signature of its own', DELIVERY.body, { 'webhook-signature': `v1,${randomBytes(32).toString('base64')}` }],
  ])('refuses %s', async (_what, body, changed) => {
    await expect(check(body, { ...headers, ...changed }, current)).rejects.toThrow(Error);
  });

  test('refuses another secret, and what is older or newer than five minutes', async () => {
    await expect(check(DELIVERY.body, headers, newSecret())).rejects.toThrow(Error);
    for (const offset of [-301_000, 302_000]) {
      const stale = signedHeaders(DELIVERY, { current }, new Date(Date.now() + offset));
      await expect(check(DELIVERY.body, stale, current)).rejects.toThrow(Error);
    }
  });
});
