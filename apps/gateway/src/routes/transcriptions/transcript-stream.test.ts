import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  AsrServiceError,
  type TranscriptEvent,
  type TranscriptionCheckpoint,
  type TranscriptionResult,
  ValidationError,
} from '@aigolos/contracts';
import type { JobContext, Processed, Processor } from '@aigolos/jobs';
import { audioClip, useMongo, useRedis } from '@aigolos/testing';
import OpenAI, { APIError } from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ended } from '../../../test/answers.ts';
import { eventsIn, receivedIn, textIn } from '../../../test/events.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
let client: OpenAI;
let work: Processor<'transcription'>;
beforeAll(async () => {
  house = await openHouse(redis, mongo, { REUSE_RESULTS: 'false' });
  client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
  await house.work('transcription', (context) => work(context));
});
afterAll(() => house.close());
beforeEach(() => {
  work = async (context) => {
    keep(context, 3);
    return said();
  };
});

const TEXTS = [' Ask not', ' what your country ', 'can do.'];
const WHOLE = 'Ask not what your country can do.';
const numbers = { seek: 0, temperature: 0, avg_logprob: 0, compression_ratio: 1, no_speech_prob: 0 };
const SEGMENTS = TEXTS.map((text, index) => ({
  ...numbers,
  id: 0,
  start: index,
  end: index + 1,
  text,
  tokens: [1, 2],
}));
/** What the record holds once so many chunks are done, each of one segment. */
const done = (chunks: number): TranscriptionCheckpoint => ({
  version: 2,
  doneSeconds: chunks,
  language: 'en',
  warnings: [],
  chunks: SEGMENTS.slice(0, chunks).map((segment) => ({ segments: [segment], words: [] })),
});
const keep = (context: JobContext<'transcription'>, chunks: number) => context.checkpoint(done(chunks));
const RESULT: TranscriptionResult = {
  text: WHOLE,
  language: 'en',
  durationSeconds: 3,
  segments: SEGMENTS.map((segment, id) => ({ ...segment, id })),
  words: [],
};
const said = (result = RESULT): Processed<'transcription'> => ({ result, usage: {}, warnings: [] });

/** A transcript as it comes: its events one by one, and the response. */
const stream = async (fields: Record<string, string> = {}, init: RequestInit = {}) => {
  const form = new FormData();
  for (const [name, value] of Object.entries({ model: 'whisper-1', stream: 'true', ...fields }))
    form.append(name, value);
  form.append('file', new File([await readFile(audioClip('count'))], 'x.wav'));
  const response = await house.call('/v1/audio/transcriptions', { method: 'POST', body: form, ...init });
  return { response, events: response.ok && response.status !== 202 ? eventsOf(response) : undefined };
};
async function* eventsOf(response: Response): AsyncGenerator<TranscriptEvent> {
  for await (const { data } of receivedIn(response)) yield JSON.parse(data) as TranscriptEvent;
}
const textOf = (events: TranscriptEvent[]) =>
  events.map((event) => (event.type === 'transcript.text.delta' ? event.delta : '')).join('');

test('every event has an id after which the events of its job go on', async () => {
  const { response } = await stream({ response_format: 'verbose_json' });
  const jobEvents = `/v1/jobs/${response.headers.get('x-job-id')}/events`;
  const received = await Array.fromAsync(receivedIn(response));
  const resume = (id: string) => house.call(jobEvents, { headers: { 'last-event-id': id } });
  let read = '';
  for (const { id, data } of received.slice(0, -1)) {
    const event = JSON.parse(data) as TranscriptEvent;
    if (event.type === 'transcript.text.delta') read += event.delta;
    const rest = await Array.fromAsync(eventsIn(await resume(id)));
    expect([textIn(rest, read), rest.at(-1)?.name]).toEqual([WHOLE, 'job.completed']);
  }
  expect((await resume(received.at(-1)?.id ?? '')).status).toBe(204);
});

test('comes chunk by chunk while it is made, and ends with all of its text and usage', async () => {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  work = async (context) => {
    keep(context, 1);
    await first.promise;
    keep(context, 2);
    await second.promise;
    return said();
  };
  const { response, events } = await stream();
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect((await events?.next())?.value).toEqual({ type: 'transcript.text.delta', delta: 'Ask not' });
  first.resolve();
  expect((await events?.next())?.value).toEqual({ type: 'transcript.text.delta', delta: ' what your country' });
  second.resolve();
  const usage = {
    type: 'tokens',
    input_tokens: 150,
    input_token_details: { text_tokens: 0, audio_tokens: 150 },
    output_tokens: 6,
    total_tokens: 156,
  };
  expect(await Array.fromAsync(events ?? [])).toEqual([
    { type: 'transcript.text.delta', delta: ' can do.' },
    { type: 'transcript.text.done', text: WHOLE, usage, expires_at: expect.any(Number) },
  ]);
});

test('over an attempt that failed in the middle says every word once', async () => {
  const told = Promise.withResolvers<void>();
  const began: unknown[] = [];
  work = async (context) => {
    const { attempt, checkpoint } = context.job;
    began.push(checkpoint);
    keep(context, attempt);
    if (attempt === 1) {
      await told.promise;
      throw new AsrServiceError('again', { code: 'ASR_ENGINE_FAILED', retryable: true });
    }
    return said();
  };
  const { events } = await stream({ response_format: 'verbose_json' });
  const all: TranscriptEvent[] = [];
  for await (const event of events ?? []) {
    all.push(event);
    told.resolve();
  }
  expect(began).toMatchObject([undefined, done(1)]);
  expect(textOf(all)).toBe(WHOLE);
  const segments = all.filter(({ type }) => type === 'transcript.text.segment');
  expect(segments).toMatchObject(
    TEXTS.map((text, index) => ({ id: `seg_${index}`, start: index, end: index + 1, text })),
  );
  expect(all.at(-1)).toMatchObject({ type: 'transcript.text.done', text: WHOLE });
});

test('that was begun anew and heard otherwise ends with an error that says where the transcript is', async () => {
  const told = Promise.withResolvers<void>();
  work = async (context) => {
    keep(context, 1);
    await told.promise;
    return said({ ...RESULT, text: 'Asked, not.' });
  };
  const { response, events } = await stream();
  expect((await events?.next())?.value).toMatchObject({ delta: 'Ask not' });
  told.resolve();
  expect(await Array.fromAsync(events ?? [])).toMatchObject([
    { error: { message: expect.stringContaining(`/v1/jobs/${response.headers.get('x-job-id')}/result`) } },
  ]);
});

test('is read by the official client; what fails before the first word is its status, what fails later its error', async () => {
  const create = () =>
    client.audio.transcriptions.create({
      file: createReadStream(audioClip('count')),
      model: 'gpt-4o-transcribe',
      stream: true,
      include: ['logprobs'],
      chunking_strategy: { type: 'server_vad', threshold: 0.5 },
    });
  const events = await Array.fromAsync(await create());
  expect(events.at(-1)).toMatchObject({ type: 'transcript.text.done', text: WHOLE });

  const deaf = new ValidationError('No sound could be decoded from the file.', { code: 'AUDIO_EMPTY', param: 'file' });
  work = () => Promise.reject(deaf);
  await expect(create()).rejects.toMatchObject({ status: 400, code: 'audio_empty' });

  const told = Promise.withResolvers<void>();
  work = async (context) => {
    keep(context, 1);
    await told.promise;
    throw deaf;
  };
  const reading = async () => {
    for await (const _ of await create()) told.resolve();
  };
  await expect(reading()).rejects.toBeInstanceOf(APIError);
});

test('goes on when its client leaves, and is there in one piece for who comes again under its key', async () => {
  const started = Promise.withResolvers<void>();
  work = async (context) => {
    keep(context, 1);
    await started.promise;
    return said();
  };
  const leaving = new AbortController();
  const headers = { 'idempotency-key': 'stream-1' };
  const { response, events } = await stream({}, { headers, signal: leaving.signal });
  await events?.next();
  leaving.abort();
  started.resolve();
  const id = response.headers.get('x-job-id') ?? '';
  expect(await ended(house, id)).toMatchObject({ status: 'completed', attempt: 1 });
  const again = await stream({}, { headers });
  expect(again.response.headers.get('idempotent-replayed')).toBe('true');
  expect(textOf(await Array.fromAsync(again.events ?? []))).toBe(WHOLE);
});

test('is a job where nobody waits, and refused where events have no place for its form', async () => {
  const { response } = await stream({}, { headers: { prefer: 'respond-async' } });
  expect([response.status, await response.json()]).toMatchObject([202, { kind: 'transcription' }]);
  const { response: refused } = await stream({ response_format: 'srt' });
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param: 'stream' } }]);
  const { response: words } = await stream({ response_format: 'verbose_json', 'timestamp_granularities[]': 'word' });
  expect(words.headers.get('x-warnings')).toBe('Events have no times of words; the result of the job has them.');
  await words.body?.cancel();
});
