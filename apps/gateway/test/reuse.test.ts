import { readFile } from 'node:fs/promises';
import type { JobView, ModelInfo } from '@aigolos/contracts';
import { audioClip, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, expect, test } from 'vitest';
import { jobOf } from './answers.ts';
import { type House, MODELS, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
const VERSIONED: ModelInfo[] = MODELS.map((model) => ({ ...model, version: '1' }));
let house: House;
let worked: number;
afterEach(() => house.close());

async function open(settings: Record<string, string> = {}, models = VERSIONED): Promise<void> {
  house = await openHouse(redis, mongo, settings, { models });
  worked = 0;
  await house.work('transcription', async () => {
    worked += 1;
    const result = { text: `heard ${worked}`, language: 'en', durationSeconds: 2.7, segments: [], words: [] };
    return { result, usage: { audioSeconds: 2.7, computeMs: 5 }, warnings: ['the engine ignored the prompt'] };
  });
}
async function transcribe(
  fields: Record<string, string> = {},
  { headers, key, clip = 'count' }: { headers?: Record<string, string>; key?: string; clip?: 'count' | 'dog' } = {},
): Promise<{ text: string; id: string; headers: Headers }> {
  const form = new FormData();
  form.append('file', new File([await readFile(audioClip(clip))], `${Math.random()}.wav`));
  for (const [name, value] of Object.entries({ model: 'whisper-1', ...fields })) form.append(name, value);
  const response = await house.call('/v1/audio/transcriptions', {
    method: 'POST',
    body: form,
    ...(headers && { headers }),
    ...(key !== undefined && { key }),
  });
  expect(response.status).toBe(200);
  const body = await response.text();
  const text = fields.response_format === 'text' ? body : (JSON.parse(body) as { text: string }).text;
  return { text, id: response.headers.get('x-job-id') ?? '', headers: response.headers };
}

test('the same audio is heard once: the next job has a result and a life of its own, and costs nothing', async () => {
  await open();
  const first = await transcribe();
  const second = await transcribe({}, { headers: { 'x-retention': 'result=1h', prefer: 'wait=60' } });
  expect([second.text, worked]).toEqual([first.text, 1]);
  const job = await jobOf(house, second.id);
  expect(job).toMatchObject({
    status: 'completed',
    reused_from: first.id,
    progress: 1,
    started_at: null,
    attempt: 0,
    usage: { audio_seconds: 0, compute_ms: 0 },
    warnings: ['the engine ignored the prompt'],
  });
  expect((job.expires_at ?? 0) - (job.finished_at ?? 0)).toBe(3_600);
  expect(await house.db.jobs.find(second.id)).toMatchObject({ webhooksPending: true });
  expect((await house.files()).blobs).toContain(second.id);

  expect((await house.call(`/v1/jobs/${first.id}`, { method: 'DELETE' })).status).toBe(200);
  expect(await (await house.call(`/v1/jobs/${second.id}/result`)).json()).toMatchObject({ text: first.text });
  expect((await transcribe()).text).toBe(first.text);
});

test('however the answer is written it is the same work; by other options, another model or other audio it is not', async () => {
  await open();
  await transcribe();
  await transcribe({ response_format: 'text' });
  await transcribe({ response_format: 'verbose_json' });
  expect(worked).toBe(1);
  const different: Record<string, string>[] = [
    { language: 'en' },
    { prompt: 'Names: Ann' },
    { temperature: '0.5' },
    { response_format: 'verbose_json', 'timestamp_granularities[]': 'word' },
  ];
  for (const fields of different) await transcribe(fields);
  await transcribe({}, { clip: 'dog' });
  const before = worked;
  expect(before).toBe(2 + different.length);
  await house.db.models.announce(MODELS.map((model) => ({ ...model, version: '2' })));
  await waitUntil('the gateway knows the new version', async () => {
    await transcribe();
    return worked === before + 1;
  });
});

test('another account’s result is never reused', async () => {
  await open();
  await transcribe();
  const theirs = await transcribe({}, { key: house.keys.stranger });
  expect([theirs.text, worked]).toEqual(['heard 2', 2]);
});

test('no-cache has it heard anew, and may be reused; no-store neither reuses nor is reused', async () => {
  await open();
  const saying = (directive: string) => transcribe({}, { headers: { 'cache-control': directive } });
  expect((await saying('no-store')).text).toBe('heard 1');
  expect((await transcribe()).text).toBe('heard 2');
  expect((await saying('no-store')).text).toBe('heard 3');
  expect((await transcribe()).text).toBe('heard 2');
  expect((await saying('max-age=3, No-Cache')).text).toBe('heard 4');
  expect(worked).toBe(4);
});

test('a result whose time has come is not reused', async () => {
  await open();
  const { id } = await transcribe({}, { headers: { 'x-retention': 'result=60s' } });
  const expiresAt = new Date(Date.now() - 1_000);
  const job = await house.db.jobs.find(id);
  if (!job) throw new Error('it is gone');
  await house.db.jobs.clearUsagePending([id]);
  await house.db.jobs.deleteFinal(house.account, id);
  await house.db.jobs.insert({ ...job, expiresAt });
  expect((await transcribe()).text).toBe('heard 2');
});

test.each([
  ['the installation does not want it', { REUSE_RESULTS: 'false' }, VERSIONED],
  ['the model does not tell its version', {}, MODELS],
])('nothing is reused where %s', async (_, settings, models) => {
  await open(settings, models);
  await transcribe();
  expect((await transcribe()).text).toBe('heard 2');
});

test('a reused result under a key is one job', async () => {
  await open();
  await transcribe();
  const headers = { 'idempotency-key': 'again', prefer: 'respond-async' };
  const send = async () => {
    const form = new FormData();
    form.append('file', new File([await readFile(audioClip('count'))], 'x.wav'));
    form.append('model', 'whisper-1');
    return (await (
      await house.call('/v1/audio/transcriptions', { method: 'POST', body: form, headers })
    ).json()) as JobView;
  };
  const [first, second] = await Promise.all([send(), send()]);
  expect([first.status, second.id]).toEqual(['completed', first.id]);
});
