import { setTimeout as sleep } from 'node:timers/promises';
import { LlmServiceError } from '@aigolos/contracts';
import { useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
beforeEach(async () => {
  house = await openHouse(redis, mongo);
});
afterEach(() => house.close());

const CHAT = { model: 'test-llm', messages: [{ role: 'user', content: 'hi' }] };

test('a chat', async () => {
  await house.work('chat', async ({ job, emitDelta }) => {
    emitDelta('you '); emitDelta('said hi');
    return { result: { text: 'you said hi', finishReason: 'stop' }, usage: { promptTokens: 3, completionTokens: 2 }, warnings: ['w'] };
  });
  const response = await house.post('/v1/chat/completions', { ...CHAT, foo: 1, conversation: 'new' });
  console.log(response.status, Object.fromEntries(response.headers), await response.text());
  const s = await house.post('/v1/chat/completions', { ...CHAT, stream: true, stream_options: { include_usage: true } });
  console.log(s.status, Object.fromEntries(s.headers), await s.text());
  for (const b of [{}, { ...CHAT, model: 'x' }, { ...CHAT, messages: [{ role: 'user', content: 'x'.repeat(6120) }] }, { ...CHAT, temperature: 9, n: 2 }, { ...CHAT, tools: [{}] }, {...CHAT, conversation: 'conv_x'}]) {
    const r = await house.post('/v1/chat/completions', b); console.log(r.status, await r.text());
  }
  for (const p of ['/v1/jobs', '/v1/jobs/x', '/v1/models', '/v1/models/gpt-4o', '/v1/audio/voices', '/healthz', '/readyz', '/nope', '/v1/chat/nope', '/%']) {
    const r = await house.call(p); console.log(p, r.status, r.headers.get('content-type'), (await r.text()).slice(0, 400));
  }
  const o = await house.call('/openapi.json'); const t = await o.text(); console.log(o.status, t.length, t.slice(0, 300));
  (await import("node:fs")).writeFileSync("/tmp/openapi.json", t);
});
