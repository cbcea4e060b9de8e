import { createReadStream } from 'node:fs';
import { audioClip, useMongo, useRedis } from '@aigolos/testing';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type House, MODELS, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
let client: OpenAI;
beforeAll(async () => {
  const models = MODELS.map((model) => ({ ...model, version: '1' }));
  house = await openHouse(redis, mongo, {}, { models });
  client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
  await house.work('translation', async () => {
    const result = { text: 'Good morning.', language: 'ru', durationSeconds: 2.7, segments: [SEGMENT], words: [] };
    return { result, usage: { audioSeconds: 2.7 }, warnings: [] };
  });
});
afterAll(() => house.close());

const SEGMENT = {
  id: 0,
  seek: 0,
  start: 0,
  end: 2.5,
  text: ' Good morning.',
  tokens: [1],
  temperature: 0,
  avg_logprob: -0.2,
  compression_ratio: 1,
  no_speech_prob: 0,
};
const file = () => createReadStream(audioClip('count'));
const model = 'whisper-1';

test('the official client translates, in each form that there is', async () => {
  const { translations } = client.audio;
  expect((await translations.create({ file: file(), model })).text).toBe('Good morning.');
  expect(await translations.create({ file: file(), model, response_format: 'verbose_json' })).toMatchObject({
    task: 'translate',
    language: 'english',
    duration: 2.7,
    text: 'Good morning.',
    segments: [SEGMENT],
  });
  const as = async (format: 'text' | 'srt' | 'vtt') =>
    translations.create({ file: file(), model, response_format: format });
  expect(await as('text')).toBe('Good morning.');
  expect(await as('srt')).toBe('1\n00:00:00,000 --> 00:00:02,500\nGood morning.\n');
  expect(await as('vtt')).toBe('WEBVTT\n\n00:00:00.000 --> 00:00:02.500\nGood morning.\n');
});

test('a translation is a job of its own kind, and the transcript of the same audio is no answer to it', async () => {
  const later = { headers: { prefer: 'respond-async', 'cache-control': 'no-cache' } };
  const [translated, transcribed] = [
    await client.audio.translations.create({ file: file(), model }, later).asResponse(),
    await client.audio.transcriptions.create({ file: file(), model }, later).asResponse(),
  ];
  expect([translated.status, await translated.json()]).toMatchObject([
    202,
    { id: expect.stringMatching(/^trl_/), kind: 'translation' },
  ]);
  const [one, other] = await Promise.all(
    [translated, transcribed].map((response) => house.db.jobs.find(response.headers.get('x-job-id') ?? '')),
  );
  expect([one?.contentKey, other?.contentKey]).toEqual([expect.any(String), expect.any(String)]);
  expect(one?.contentKey).not.toBe(other?.contentKey);
});

test('comes as events too', async () => {
  const form = { file: file(), model, stream: true as unknown as never };
  const response = await client.audio.translations.create(form).asResponse();
  expect(await response.text()).toMatch(/transcript\.text\.delta.*Good morning.*transcript\.text\.done/s);
});
