import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { LIMITS } from '@aigolos/contracts';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
});
afterAll(() => house.close());

const CHAT = '/v1/chat/completions';
/** A chat with one more field, or another one in the place of its messages. */
const chat = (field: string, messages = '[{"role":"user","content":"hi"}]') =>
  `{"model":"test-llm","messages":${messages},${field}}`;
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const many = (what: string, bytes = LIMITS.jsonBodyBytes - 1_000) =>
  `[${Array.from({ length: Math.floor(bytes / (what.length + 1)) }, () => what).join(',')}]`;

interface Refusal {
  status: number;
  message: string;
  bytes: number;
}

async function send(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Refusal> {
  const response = await house.call(CHAT, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', prefer: 'respond-async', ...headers },
  });
  const text = await response.text();
  const { error } = JSON.parse(text) as { error?: { message: string } };
  return { status: response.status, message: error?.message ?? '', bytes: text.length };
}

describe('a body that is made to be dear to read is refused, with the reason', () => {
  test.each([
    ['lists in lists', chat(`"x":${nested(200_000)}`), /more than 100 lists and objects in one another/],
    ['objects in objects', chat(`"x":${'{"a":'.repeat(80_000)}1${'}'.repeat(80_000)}`), /more than 100 lists/],
    ['a schema that never ends', chat(`"x":${'{"a":['.repeat(70_000)}`), /more than 100 lists/],
    ['a function that never ends', chat(`"tools":[{"type":"function","function":${nested(10_000)}}]`), /more than 100/],
    ['one level too many', chat(`"x":${nested(LIMITS.jsonDepth)}`), /more than 100 lists/],
    ['messages without end', chat('"n":1', many('{"role":"user","content":"x"}')), /messages: Too big.*256/],
    ['numbers for messages', chat('"n":1', many('1')), /messages: Too big.*256/],
    ['empty messages', chat('"n":1', many('{}')), /messages: Too big.*256/],
    ['a text in pieces', chat('"n":1', `[{"role":"user","content":${many('1')}}]`), /list of 1 to 256 text parts/],
    ['stops without end', chat(`"stop":${many('"x"')}`), /stop/],
    ['a number that is none', chat('"max_tokens":1e999'), /max_tokens: .*number/],
    ['a number past all counting', chat(`"max_tokens":${'9'.repeat(10_000)}`), /max_tokens: .*number/],
    ['a key of half a megabyte', chat(`"metadata":{"${'k'.repeat(500_000)}":1}`), /metadata/],
  ])('%s', async (_what, body, message) => {
    const answer = await send(body);
    expect(answer).toMatchObject({ status: 400, message: expect.stringMatching(message) });
    expect(answer.bytes).toBeLessThan(20_000);
  });

  test('a body in which everything is wrong has the first of it told, and how much more there is', async () => {
    const pairs = Array.from({ length: 5_000 }, (_, index) => `"${'k'.repeat(70)}${index}":"v"`);
    const answer = await send(chat(`"metadata":{${pairs.join(',')}}`));
    expect(answer).toMatchObject({ status: 400, message: expect.stringMatching(/; and 49\d\d more$/) });
    expect(answer.bytes).toBeLessThan(20_000);
  });

  test('a megabyte and more', async () => {
    expect(await send(chat(`"x":"${'x'.repeat(1_000_000)}"`))).toMatchObject({ status: 413 });
  });
});

test('what is nested as far as it may be, or has brackets in its texts, is taken', async () => {
  expect(await send(chat(`"x":${nested(LIMITS.jsonDepth - 1)}`))).toMatchObject({ status: 202 });
  const brackets = JSON.stringify(`"${nested(500)}\\`);
  expect(await send(chat('"n":1', `[{"role":"user","content":${brackets}}]`))).toMatchObject({ status: 202 });
});

test('of a key that stands twice the last one counts', async () => {
  expect(await send(chat('"n":7,"n":1'))).toMatchObject({ status: 202 });
  expect(await send(chat('"n":1,"n":7'))).toMatchObject({
    status: 400,
    message: expect.stringContaining('n must be 1'),
  });
});

describe('a compressed body is refused before it is inflated', () => {
  const bomb = Buffer.from(chat(`"x":"${'x'.repeat(5_000_000)}"`));
  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', (bytes: Buffer) => brotliCompressSync(bytes)],
    ['gzip, gzip', (bytes: Buffer) => gzipSync(gzipSync(bytes))],
  ] as const)('%s', async (encoding, compress) => {
    const body = new Uint8Array(compress(bomb));
    expect(await send(body, { 'content-encoding': encoding })).toMatchObject({
      status: 415,
      message: expect.stringContaining(`Content-Encoding "${encoding}"`),
    });
  });

  test('and told what would be right; one that is sent as it is may say so', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const refused = await house.call(CHAT, { method: 'POST', body: new Uint8Array(gzipSync('{}')), headers });
    expect(refused.headers.get('accept-encoding')).toBe('identity');
    expect(await send(chat('"n":1'), { 'content-encoding': 'identity' })).toMatchObject({ status: 202 });
  });

  test('a form too', async () => {
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(gzipSync(Buffer.alloc(1e6)))]), 'speech.wav');
    const answer = await house.call('/v1/audio/transcriptions', {
      method: 'POST',
      body: form,
      headers: { 'content-encoding': 'gzip' },
    });
    expect(answer.status).toBe(415);
    expect(await house.files()).toEqual({ spool: [], blobs: [] });
  });
});
