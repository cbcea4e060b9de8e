import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { audioClip, useMongo, useRedis } from '@aigolos/testing';
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { said } from './answers.ts';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
let client: OpenAI;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
  client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
  await house.work('chat', async ({ emitDelta }) => {
    for (const text of ['one ', 'two ', 'three']) emitDelta(text);
    return said('one two three');
  });
  await house.work('transcription', async () => ({
    result: { text: 'one two three', language: 'en', durationSeconds: 2.7, segments: [], words: [] },
    usage: {},
    warnings: [],
  }));
  await house.work('speech', async ({ job: { _id, fence } }) => {
    const file = await house.blobs.receive(Readable.from([Buffer.from('sound')]), { maxBytes: 10 });
    const blobKey = `${_id}/output-${fence}.mp3`;
    await house.blobs.commit(file, blobKey);
    return { result: { blobKey, contentType: 'audio/mpeg', bytes: 5, durationSeconds: 1 }, usage: {}, warnings: [] };
  });
});
afterAll(() => house.close());

const messages = [{ role: 'user' as const, content: 'count' }];

test('the official client chats, plain and streamed', async () => {
  const plain = await client.chat.completions.create({ model: 'gpt-4o-mini', messages });
  expect(plain.choices[0]?.message.content).toBe('one two three');
  const stream = client.chat.completions.stream({
    model: 'gpt-4o-mini',
    messages,
    stream_options: { include_usage: true },
  });
  expect(await stream.finalContent()).toBe('one two three');
  expect(await stream.totalUsage()).toMatchObject({ prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 });
});

test('the official client lists, reads, notes and deletes stored completions', async () => {
  const { completions } = client.chat;
  const store = (metadata: Record<string, string>) =>
    completions.create({ model: 'gpt-4o-mini', messages, store: true, metadata });
  const first = await store({ topic: 'numbers', run: '1' });
  const second = await store({ topic: 'numbers', run: '2' });
  await completions.create({ model: 'gpt-4o-mini', messages });
  const idsOf = async (query: object) => (await Array.fromAsync(completions.list(query))).map(({ id }) => id);
  expect(await idsOf({ limit: 1 })).toEqual([first.id, second.id]);
  expect(await idsOf({ order: 'desc' })).toEqual([second.id, first.id]);
  expect(await idsOf({ metadata: { run: '2' } })).toEqual([second.id]);
  expect(await idsOf({ model: 'other' })).toEqual([]);
  expect(await completions.retrieve(first.id)).toMatchObject({ choices: first.choices, metadata: { run: '1' } });
  const sent = await Array.fromAsync(completions.messages.list(first.id));
  expect(sent).toMatchObject([{ id: `${first.id}-0`, role: 'user', content: 'count' }]);
  expect(await completions.update(first.id, { metadata: { run: '3' } })).toMatchObject({ metadata: { run: '3' } });
  expect(await completions.delete(first.id)).toMatchObject({ deleted: true, object: 'chat.completion.deleted' });
  await expect(completions.retrieve(first.id)).rejects.toThrow(NotFoundError);
  expect(await idsOf({})).toEqual([second.id]);
});

test('the official client transcribes', async () => {
  const file = () => createReadStream(audioClip('count'));
  const json = await client.audio.transcriptions.create({ file: file(), model: 'whisper-1' });
  expect(json.text).toBe('one two three');
  const text = await client.audio.transcriptions.create({ file: file(), model: 'whisper-1', response_format: 'text' });
  expect(text).toBe('one two three');
  const verbose = await client.audio.transcriptions.create({
    file: file(),
    model: 'whisper-1',
    response_format: 'verbose_json',
    timestamp_granularities: ['word', 'segment'],
  });
  expect(verbose).toMatchObject({ duration: 2.7, language: 'en', words: [], segments: [] });
});

test('the official client gets speech', async () => {
  const speech = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Good morning.' });
  expect(await speech.text()).toBe('sound');
});

test('the official client lists models', async () => {
  const models = await Array.fromAsync(client.models.list());
  expect(models.map(({ id }) => id)).toContain('test-asr');
});

test('the official client raises its own errors', async () => {
  const stranger = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: 'sk-wrong', maxRetries: 0 });
  await expect(stranger.models.list()).rejects.toThrow(AuthenticationError);
  const unknown = client.chat.completions.create({ model: 'gpt-99', messages });
  await expect(unknown).rejects.toThrow(NotFoundError);
  await expect(unknown).rejects.toMatchObject({
    code: 'model_not_found',
    param: 'model',
    requestID: expect.stringMatching(/^req_/),
  });
  const wrong = client.chat.completions.create({ model: 'gpt-4o', messages: [] });
  await expect(wrong).rejects.toThrow(BadRequestError);
});
