import { Readable } from 'node:stream';
import type { SpeechTask } from '@aigolos/contracts';
import type { Processor } from '@aigolos/jobs';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type House, MODELS, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
  await house.work('speech', spell);
});
afterAll(() => house.close());

const PATH = '/v1/audio/speech';
const SPEECH = { model: 'tts-1', input: 'Good morning.', voice: 'alloy' };

/** Writes what it was asked to do where the sound would be. */
const spell: Processor<'speech'> = async ({ job: { _id, fence, task } }) => {
  const file = await house.blobs.receive(Readable.from([Buffer.from(JSON.stringify(task))]), { maxBytes: 10_000 });
  const blobKey = `${_id}/output-${fence}.${task.format}`;
  await house.blobs.commit(file, blobKey);
  const contentType = task.format === 'mp3' ? 'audio/mpeg' : 'audio/wav';
  return { result: { blobKey, contentType, bytes: file.bytes, durationSeconds: 1 }, usage: {}, warnings: [] };
};
const asked = async (response: Response) => (await response.json()) as SpeechTask;

test('the sound is streamed, with its type and length', async () => {
  const response = await house.post(PATH, SPEECH);
  expect(response.status).toBe(200);
  const sound = await response.text();
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'audio/mpeg',
    'content-length': String(sound.length),
    'x-job-id': expect.stringMatching(/^spc_/),
  });
  expect(JSON.parse(sound)).toEqual({ model: 'test-tts', voice: 'joe', input: SPEECH.input, format: 'mp3', speed: 1 });
});

test('what was asked for reaches the voice, and what was ignored is told', async () => {
  const voice = { id: 'de' };
  const response = await house.post(PATH, {
    ...SPEECH,
    voice,
    response_format: 'wav',
    speed: 2,
    instructions: 'whisper',
    timestamps: true,
  });
  expect(response.headers.get('content-type')).toBe('audio/wav');
  expect(response.headers.get('x-warnings')).toBe('Ignored, because the voices here do not follow them: instructions.');
  expect(await asked(response)).toMatchObject({ model: 'other-tts', voice: 'de', format: 'wav', speed: 2 });
});

test('a result whose sound is gone says so', async () => {
  const id = (await house.post(PATH, SPEECH)).headers.get('x-job-id') ?? '';
  await house.blobs.deleteRecord(id);
  const response = await house.call(`/v1/jobs/${id}/result`);
  expect([response.status, await response.json()]).toMatchObject([410, { code: 'RESULT_NOT_AVAILABLE' }]);
});

test.each([
  [{ input: '  ' }, 400, 'input must have 1 to 500000 characters that can be spoken, this one has 0'],
  [
    { input: 'x'.repeat(4_097) },
    400,
    'this one has 4097; with the header "Prefer: respond-async" it is spoken as a job',
  ],
  [{ speed: 9 }, 400, 'speed must be a number from 0.25 to 4, not 9'],
  [{ response_format: 'ogg' }, 400, '"mp3"|"opus"|"aac"|"flac"|"wav"|"pcm"'],
  [{ stream_format: 'xml' }, 400, 'stream_format must be "audio", the sound itself, or "sse"'],
  [{ voice: undefined }, 400, 'voice is required'],
  [{ voice: 'bob' }, 404, 'Voices: irina, joe; GET /v1/audio/voices'],
  [{ model: 'tts-9' }, 404, 'Models for speech here: other-tts, test-tts'],
])('%j is refused, and no job is made', async (fields, status, message) => {
  const jobs = () => house.db.jobs.list({ account: house.account, limit: 100 });
  const before = await jobs();
  const response = await house.post(PATH, { ...SPEECH, ...fields });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(message) } });
  expect(await jobs()).toEqual(before);
});

test('before any worker has announced a voice, the answer says what is missing', async () => {
  const empty = await openHouse(redis, mongo, {}, { models: MODELS.filter(({ kind }) => kind !== 'tts') });
  const response = await empty.post(PATH, SPEECH);
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('worker-tts') } });
  await empty.close();
});

test('models and voices are those that workers have announced', async () => {
  const models = (await (await house.call('/v1/models')).json()) as { data: { id: string }[] };
  expect(models.data.map(({ id }) => id).toSorted()).toEqual([
    'other-tts',
    'plain-llm',
    'test-asr',
    'test-llm',
    'test-tts',
  ]);
  const { voices } = (await (await house.call('/v1/audio/voices')).json()) as { voices: unknown[] };
  expect(voices).toContainEqual({ id: 'joe', name: 'Joe', language: 'en-US', model: 'test-tts' });
  expect(await (await house.call('/v1/models/gpt-4o')).json()).toMatchObject({ id: 'test-llm', object: 'model' });
  const unknown = await house.call('/v1/models/nope');
  expect([unknown.status, await unknown.json()]).toMatchObject([
    404,
    { error: { message: expect.stringContaining('test-asr') } },
  ]);
});
