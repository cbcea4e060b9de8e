import { createServer } from 'node:net';
import type { WebhookEvent } from '@aigolos/contracts';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type Received, type Receiver, startReceiver } from './receiver.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const EVENT: WebhookEvent = {
  id: 'evt_cht_1_completed',
  object: 'event',
  type: 'job.completed',
  created_at: 1_767_225_600,
  timestamp: '2026-01-01T00:00:00.000Z',
  data: { id: 'cht_1', kind: 'chat', status: 'completed' },
};

let receiver: Receiver;
let received: Received[];
beforeEach(async () => {
  received = [];
  const onReceived = (one: Received) => void received.push(one);
  receiver = await startReceiver({ port: 0, secret: Promise.resolve(SECRET), onReceived });
});
afterEach(() => receiver.close());

/** Sends a body signed as AIGolos signs; `fields` are what somebody has made of it on the way. */
async function send(
  body: string,
  { secret = SECRET, at = new Date(), ...fields }: { secret?: string; at?: Date; body?: string } = {},
): Promise<number> {
  const headers = {
    'webhook-id': EVENT.id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign(EVENT.id, at, body),
  };
  return (await fetch(receiver.url, { method: 'POST', headers, body: fields.body ?? body })).status;
}

test('what this installation has signed is taken', async () => {
  expect(await send(JSON.stringify(EVENT))).toBe(204);
  expect(received).toEqual([{ event: EVENT }]);
});

const HOUR_MS = 3_600_000;
test.each([
  ['signed with another secret', { secret: 'whsec_c29tZWJvZHkgZWxzZQ==' }, 'No matching signature found'],
  ['changed on the way', { body: JSON.stringify({ ...EVENT, type: 'job.failed' }) }, 'No matching signature found'],
  ['that is an hour old', { at: new Date(Date.now() - HOUR_MS) }, 'Message timestamp too old'],
  ['larger than any of ours', { body: 'x'.repeat(100_000) }, 'more than 65536 bytes'],
])('a body %s is refused, with the reason', async (_what, fields, reason) => {
  expect(await send(JSON.stringify(EVENT), fields)).toBe(400);
  expect(received).toEqual([{ refused: expect.stringContaining(reason) }]);
});

test('what is signed and no event, or is not signed at all, is refused', async () => {
  expect(await send('{"hello":"world"}')).toBe(400);
  expect((await fetch(receiver.url)).status).toBe(400);
  expect(received).toEqual([
    { refused: 'it is signed, but no event of AIGolos' },
    { refused: 'Missing required headers' },
  ]);
});

test('a port that is taken is said in one sentence', async () => {
  const other = createServer();
  onTestFinished(() => void other.close());
  await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const starting = startReceiver({ port, secret: Promise.resolve(SECRET), onReceived: () => {} });
  await expect(starting).rejects.toThrow(`Port ${port} is taken by another program: choose another with --port`);
});
