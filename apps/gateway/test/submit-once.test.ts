import { readFile } from 'node:fs/promises';
import { ChatCompletionSchema, type JobView } from '@aigolos/contracts';
import type { Processor } from '@aigolos/jobs';
import { audioClip, type DatabaseShell, openDatabaseShell, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHAT, ended, said } from './answers.ts';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
const CHAT_PATH = '/v1/chat/completions';
const TRANSCRIPTION_PATH = '/v1/audio/transcriptions';
/** Two gateways of one installation. */
let house: House;
let other: House;
let shell: DatabaseShell;
/** Texts that chats were asked, once for each time that they were worked on. */
const worked: string[] = [];
const holding = new Map<string, Promise<void>>();
const chat: Processor<'chat'> = async ({ job: { task }, emitDelta }) => {
  const text = task.messages.at(-1)?.content ?? '';
  worked.push(text);
  if (text.startsWith('fail')) throw new TypeError('told to fail');
  emitDelta('the answer ');
  await holding.get(text);
  emitDelta(`to ${text}`);
  return said(`the answer to ${text}`);
};
beforeAll(async () => {
  const url = mongo.newDatabaseUrl();
  const shared = { newDatabaseUrl: () => url };
  const settings = { QUEUE_PREFIX: `once-${url.length}-${Date.now()}` };
  house = await openHouse(redis, shared, settings);
  other = await openHouse(redis, shared, settings);
  shell = openDatabaseShell(url);
  await house.work('chat', chat);
});
afterAll(async () => {
  await shell.close();
  await other.close();
  await house.close();
});

let keys = 0;
const newKey = () => `key-${(keys += 1)}`;
const ask = (text: string, fields: object = {}) => ({
  ...CHAT,
  messages: [{ role: 'user', content: text }],
  ...fields,
});
const submit = (key: string, body: object, headers: Record<string, string> = {}, at = house) =>
  at.post(CHAT_PATH, body, { 'idempotency-key': key, prefer: 'respond-async', ...headers });
const idOf = async (response: Promise<Response>) => ((await (await response).json()) as JobView).id;
const replayed = (response: Response) => response.headers.get('idempotent-replayed');
const jobsAsking = async (text: string) =>
  (await house.db.jobs.list({ account: house.account, limit: 500 })).filter((job) =>
    JSON.stringify(job).includes(`"${text}"`),
  );
/** Lets the work on a text be held until it is let go. */
function hold(text: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  holding.set(text, promise);
  return resolve;
}

describe('a request that is sent again under its key', () => {
  test('is the same job, before and after its end, at either gateway, however its key is quoted', async () => {
    const letGo = hold('twice');
    const key = newKey();
    const first = await submit(key, ask('twice'));
    expect([first.status, replayed(first)]).toEqual([202, null]);
    const { id } = (await first.json()) as JobView;
    const again = await submit(`"${key}"`, ask('twice'), {}, other);
    expect([again.status, replayed(again), await again.json()]).toMatchObject([202, 'true', { id }]);
    letGo();
    await ended(house, id);
    const late = await house.post(CHAT_PATH, ask('twice'), { 'idempotency-key': key });
    expect([late.status, replayed(late), await late.json()]).toMatchObject([
      200,
      'true',
      { id, choices: [{ message: { content: 'the answer to twice' } }] },
    ]);
    expect(worked.filter((text) => text === 'twice')).toEqual(['twice']);
    expect(await jobsAsking('twice')).toHaveLength(1);
  });

  test('joins the job that runs, and its stream from the first word, whatever it was asked as before', async () => {
    const letGo = hold('join');
    const key = newKey();
    const { id } = (await (await submit(key, ask('join'))).json()) as JobView;
    await waitUntil('it runs', () => worked.includes('join'));
    const headers = { 'idempotency-key': key };
    const plain = house.post(CHAT_PATH, ask('join'), headers);
    const streamed = await other.post(CHAT_PATH, ask('join', { stream: true }), headers);
    expect(replayed(streamed)).toBe('true');
    letGo();
    const answer = ChatCompletionSchema.parse(await (await plain).json());
    expect([answer.id, answer.choices[0]?.message.content]).toEqual([id, 'the answer to join']);
    const deltas = [...(await streamed.text()).matchAll(/"content":"([^"]*)"/g)].map(([, text]) => text);
    expect(deltas.join('')).toBe('the answer to join');
  });

  test('is the same though its deadline is counted from another moment', async () => {
    const key = newKey();
    const first = await idOf(submit(key, ask('deadline'), { 'x-finish-by': '100' }));
    expect(await idOf(submit(key, ask('deadline'), { 'x-finish-by': '63.5' }))).toBe(first);
  });

  test('has failed if it had failed', async () => {
    const key = newKey();
    const id = await idOf(submit(key, ask('fail')));
    await shell.run('jobs', 'updateOne', { _id: id }, { $set: { attempt: 2 } });
    expect(await ended(house, id)).toMatchObject({ status: 'failed' });
    const again = await house.post(CHAT_PATH, ask('fail'), { 'idempotency-key': key });
    expect([again.status, replayed(again), again.headers.get('x-job-id')]).toEqual([500, 'true', id]);
  });

  test('is another account’s own job', async () => {
    const key = newKey();
    const first = await idOf(submit(key, ask('own')));
    const authorization = { authorization: `Bearer ${house.keys.stranger}` };
    const theirs = await submit(key, ask('something else'), authorization);
    expect([theirs.status, replayed(theirs)]).toEqual([202, null]);
    expect(((await theirs.json()) as JobView).id).not.toBe(first);
  });

  test('by the official client is the same answer', async () => {
    const client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
    const headers = { 'Idempotency-Key': newKey() };
    const create = () =>
      client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'client' }] }, { headers });
    const [first, second] = [await create(), await create()];
    expect(second).toEqual(first);
    const stream = client.chat.completions.stream(
      { model: 'gpt-4o', messages: [{ role: 'user', content: 'client' }] },
      { headers },
    );
    expect(await stream.finalContent()).toBe('the answer to client');
    expect(worked.filter((text) => text === 'client')).toHaveLength(1);
  });
});

describe('of requests that come at the same moment under one key', () => {
  const TIMES = 12;
  const atOnce = <T>(act: (at: House, n: number) => Promise<T>) =>
    Promise.all(Array.from({ length: TIMES }, (_, n) => act(n % 2 === 0 ? house : other, n)));

  test('one begins one conversation, and the others leave nothing', async () => {
    const conversations = () => house.db.conversations.idsOf(house.account, { limit: 500 });
    const before = await conversations();
    const key = newKey();
    const ids = await atOnce((at) => idOf(submit(key, ask('new one', { conversation: 'new' }), {}, at)));
    expect(new Set(ids).size).toBe(1);
    expect(await jobsAsking('new one')).toHaveLength(1);
    expect(await conversations()).toHaveLength(before.length + 1);
  });

  test('one takes a turn, and the others none', async () => {
    const { _id: conversation } = await house.db.conversations.create(house.account);
    const key = newKey();
    const ids = await atOnce((at) => idOf(submit(key, ask('a turn', { conversation }), {}, at)));
    expect(new Set(ids).size).toBe(1);
    await ended(house, ids[0] ?? '');
    const after = await idOf(submit(newKey(), ask('the next', { conversation })));
    expect((await house.db.jobs.find(after))?.turn).toBeLessThan(TIMES);
    expect(await ended(house, after)).toMatchObject({ status: 'completed' });
    const conversationSaid = await waitUntil('the messages are written', async () => {
      const messages = await house.db.conversations.lastMessages(conversation, 99);
      return messages.length >= 4 && messages.map(({ content }) => content);
    });
    expect(conversationSaid).toEqual(['a turn', 'the answer to a turn', 'the next', 'the answer to the next']);
  });

  test('one stores its audio, and the others leave no file', async () => {
    const audio = await readFile(audioClip('count'));
    const key = newKey();
    const send = (at: House, content = audio) => {
      const form = new FormData();
      form.append('file', new File([content], 'x.wav'));
      form.append('model', 'whisper-1');
      const headers = { 'idempotency-key': key, prefer: 'respond-async' };
      return at.call(TRANSCRIPTION_PATH, { method: 'POST', body: form, headers });
    };
    const [id, ...rest] = await atOnce((at) => idOf(send(at)));
    expect(new Set(rest)).toEqual(new Set([id]));
    for (const at of [house, other]) {
      const files = await at.files();
      expect(files.spool).toEqual([]);
      expect(files.blobs.filter((name) => name !== id)).toEqual([]);
    }
    const otherAudio = await send(house, audio.subarray(0, audio.length - 2_000));
    expect([otherAudio.status, await otherAudio.json()]).toMatchObject([
      422,
      { error: { code: 'idempotency_key_reused', message: expect.stringContaining('its audio differs') } },
    ]);
    expect((await house.files()).spool).toEqual([]);
  });
});

test.each<[string, object, Record<string, string>, string]>([
  ['text', ask('another secret'), {}, 'its body differs'],
  ['model', ask('a secret', { model: 'test-llm' }), {}, 'its body differs'],
  ['retention', ask('a secret', { retention: 'result=2d' }), {}, 'its headers differs'],
  ['priority and text', ask('third'), { 'x-priority': 'low' }, 'its body and headers differ'],
])(
  'another %s under the same key is refused with what differs, and without what it said',
  async (_, body, headers, says) => {
    const key = newKey();
    await submit(key, ask('a secret'));
    const refused = await submit(key, body, headers);
    expect(refused.status).toBe(422);
    const { error } = (await refused.json()) as { error: { message: string; code: string; param: string } };
    expect(error).toMatchObject({ code: 'idempotency_key_reused', param: 'Idempotency-Key' });
    expect(error.message).toContain(says);
    expect(error.message).not.toMatch(/secret|third|test-llm/);
  },
);

test('another kind of work under the same key is refused', async () => {
  const key = newKey();
  await submit(key, ask('a chat'));
  const refused = await house.post('/v1/exports', {}, { 'idempotency-key': key });
  expect([refused.status, await refused.json()]).toMatchObject([
    422,
    { code: 'IDEMPOTENCY_KEY_REUSED', detail: expect.stringContaining('it was for chat') },
  ]);
});

describe('a key is free again', () => {
  test('when its time is over', async () => {
    const key = newKey();
    const first = await idOf(submit(key, ask('over')));
    const until = (await house.db.jobs.find(first))?.idempotencyKeyUntil;
    expect((until?.getTime() ?? 0) - Date.now()).toBeGreaterThan(23.9 * 60 * 60_000);
    await shell.run('jobs', 'updateOne', { _id: first }, { $set: { idempotencyKeyUntil: new Date() } });
    const second = await submit(key, ask('over, and another'));
    expect([second.status, replayed(second)]).toEqual([202, null]);
    expect(await house.db.jobs.find(first)).not.toHaveProperty('idempotencyKey');
  });

  test('when it is swept, and not before', async () => {
    const [due, kept] = [await idOf(submit(newKey(), ask('due'))), await idOf(submit(newKey(), ask('kept')))];
    await shell.run('jobs', 'updateOne', { _id: due }, { $set: { idempotencyKeyUntil: new Date() } });
    expect(await house.db.jobs.freeIdempotencyKeys(new Date())).toBe(1);
    expect(await house.db.jobs.find(due)).not.toHaveProperty('requestFingerprint');
    expect(await house.db.jobs.find(kept)).toHaveProperty('idempotencyKey');
  });

  test('when its job was deleted', async () => {
    const key = newKey();
    const id = await idOf(submit(key, ask('deleted')));
    await ended(house, id);
    expect((await house.call(`/v1/jobs/${id}`, { method: 'DELETE' })).status).toBe(200);
    expect(await idOf(submit(key, ask('deleted')))).not.toBe(id);
  });
});

test('an export under a key of its own is another one than that which is going on', async () => {
  const post = (headers: Record<string, string> = {}) =>
    idOf(house.post('/v1/exports', {}, { prefer: 'respond-async', ...headers }));
  const going = await post();
  const headers = { 'idempotency-key': newKey() };
  const named = await post(headers);
  expect(named).not.toBe(going);
  expect(await post(headers)).toBe(named);
});
