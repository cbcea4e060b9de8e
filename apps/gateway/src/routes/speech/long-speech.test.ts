import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  type JobView,
  LIMITS,
  SPEECH_FORMATS,
  type SpeechCheckpoint,
  type SpeechEvent,
  SpeechTimingsViewSchema,
  speechPartPrefix,
  TtsServiceError,
} from '@aigolos/contracts';
import type { Processor } from '@aigolos/jobs';
import { contentTypeOf, createMedia, fromS16le } from '@aigolos/media';
import { useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ended, jobOf } from '../../../test/answers.ts';
import { type House, openHouse } from '../../../test/harness.ts';
import { readCues } from '../../../test/subtitles.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
let speaker: ReturnType<typeof createSpeaker>;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
  await house.work('speech', (context) => speaker.process(context));
});
beforeEach(() => {
  speaker = createSpeaker();
});
afterEach(() => {
  speaker.goOn();
  speaker.end();
});
afterAll(() => house.close());

const PATH = '/v1/audio/speech';
const SPEECH = { model: 'tts-1', input: 'A short text.', voice: 'alloy', response_format: 'wav' };
const RATE_HZ = 24_000;
const PARTS = 3;
const media = createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' });

/** Sound of which each sample tells its place, so that nothing can be missing or come twice unnoticed. */
function ramp(begin: number, end: number): Buffer {
  return Buffer.from(Int16Array.from({ length: end - begin }, (_, index) => (begin + index) % 30_000).buffer);
}
const WHOLE = ramp(0, PARTS * RATE_HZ);
const partOf = (index: number) => ramp(index * RATE_HZ, (index + 1) * RATE_HZ);

/** Speaks parts of a second each: the first at once, the others when it is told to. What is in `trouble` happens before the part. */
function createSpeaker() {
  const { promise: told, resolve: goOn } = Promise.withResolvers<void>();
  const { promise: heard, resolve: end } = Promise.withResolvers<void>();
  const trouble = new Map<number, Error | 'ends anew' | 'begins anew'>();
  const settings = { keeps: PARTS };
  const process: Processor<'speech'> = async ({ job, checkpointNow, signal }) => {
    const kept = job.checkpoint as SpeechCheckpoint | undefined;
    let begunBy = kept?.begunBy ?? job.fence;
    const parts = [...(kept?.parts ?? [])];
    for (let index = parts.length; index < PARTS; index += 1) {
      if (index > 0) await told;
      const happens = trouble.get(index);
      trouble.delete(index);
      if (happens instanceof Error) throw happens;
      if (happens) begunBy += 1;
      if (happens === 'ends anew') break;
      if (happens === 'begins anew') parts.length = index = 0;
      if (index >= settings.keeps) break;
      const blobKey = `${speechPartPrefix(job._id)}${job.fence}-${index}.s16le`;
      const file = await house.blobs.receive(Readable.from([partOf(index)]), { maxBytes: 1e6 });
      await house.blobs.commit(file, blobKey);
      parts.push({ blobKey, samples: RATE_HZ, sentences: [RATE_HZ], textEnd: index + 1 });
      const checkpoint: SpeechCheckpoint = { version: 1, sampleRateHz: RATE_HZ, begunBy, parts, computeMs: 0 };
      await checkpointNow(checkpoint);
      if (happens === 'begins anew') await heard;
    }
    const pcm = async function* () {
      yield { samples: fromS16le(WHOLE), sampleRateHz: RATE_HZ };
    };
    const audio = await media.encode(pcm(), { format: job.task.format }, signal);
    const sentences = [{ text: 'One & two.', start: 0, end: PARTS }];
    const chapters = [{ title: 'One', start: 0, end: PARTS }];
    const times = Buffer.from(JSON.stringify({ version: 1, durationSeconds: PARTS, sentences, chapters }));
    const store = async (name: string, content: Buffer) => {
      const blobKey = `${job._id}/${name}`;
      await house.blobs.commit(await house.blobs.receive(Readable.from([content]), { maxBytes: 1e6 }), blobKey);
      return { blobKey, bytes: content.length };
    };
    const { contentType, durationSeconds } = audio;
    const stored = await store(`output-${job.fence}.${job.task.format}`, await buffer(audio.stream));
    const timings = await store(`timings-${job.fence}.json`, times);
    return { result: { ...stored, contentType, durationSeconds, timings, begunBy }, usage: {}, warnings: [] };
  };
  return { process, goOn, end, trouble, settings };
}

const rejected = () => new TtsServiceError('The voice broke.', { code: 'TTS_ENGINE_REJECTED' });
const failed = () => new TtsServiceError('The voice broke.', { code: 'TTS_ENGINE_FAILED', retryable: true });
const WAV_DATA = Buffer.from('data');
/** The samples of a streamed WAV, whose header does not say how many there are. */
function samplesOf(wav: Buffer): Buffer {
  return wav.subarray(wav.indexOf(WAV_DATA) + 8);
}

/** Reads a body until it has so many bytes; `rest` reads what follows. */
async function readSome(response: Response, bytes: number) {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const chunks: Uint8Array[] = [];
  const has = () => chunks.reduce((sum, { length }) => sum + length, 0);
  const read = async (enough: () => boolean) => {
    while (!enough()) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
    }
    return Buffer.concat(chunks);
  };
  await read(() => has() >= bytes);
  return { rest: () => read(() => false), leave: () => reader.cancel() };
}
const ALMOST_A_PART = RATE_HZ * 2 - 8_192;

describe('a speech that is waited for', () => {
  test('is heard while it is made, and is whole in the end', async () => {
    const response = await house.post(PATH, SPEECH);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'audio/wav']);
    expect(response.headers.has('content-length')).toBe(false);
    const { rest } = await readSome(response, ALMOST_A_PART);
    expect(await jobOf(house, response.headers.get('x-job-id') ?? '')).toMatchObject({ status: 'in_progress' });
    speaker.goOn();
    expect(samplesOf(await rest()).equals(WHOLE)).toBe(true);
  });

  test('goes on with its result where its parts are gone', async () => {
    speaker.settings.keeps = 1;
    const { rest } = await readSome(await house.post(PATH, SPEECH), ALMOST_A_PART);
    speaker.goOn();
    expect(samplesOf(await rest()).equals(WHOLE)).toBe(true);
  });

  test('is as long as its result where that does not hold it sample by sample', async () => {
    speaker.settings.keeps = 1;
    const { rest } = await readSome(await house.post(PATH, { ...SPEECH, response_format: 'mp3' }), 8_000);
    speaker.goOn();
    // 128 kbit/s, in frames of 24 ms.
    expect(Math.abs((await rest()).length / 16_000 - PARTS)).toBeLessThan(0.1);
  });

  test('goes on where a later attempt goes on', async () => {
    speaker.trouble.set(1, failed());
    const response = await house.post(PATH, SPEECH);
    const { rest } = await readSome(response, ALMOST_A_PART);
    speaker.goOn();
    expect(samplesOf(await rest()).equals(WHOLE)).toBe(true);
    expect(await jobOf(house, response.headers.get('x-job-id') ?? '')).toMatchObject({ attempt: 2 });
  });

  test.each([
    ['the job fails', rejected()],
    ['what was told is forgotten, and told otherwise', 'begins anew'],
    ['the result is of another telling', 'ends anew'],
  ] as const)('is cut off, and not taken for whole, when %s', async (_what, happens) => {
    speaker.trouble.set(1, happens);
    const response = await house.post(PATH, SPEECH);
    const { rest } = await readSome(response, ALMOST_A_PART);
    speaker.goOn();
    await expect(rest()).rejects.toThrow('terminated');
    speaker.end();
  });

  test('that fails before it is heard is an error as any other', async () => {
    speaker.trouble.set(0, rejected());
    const response = await house.post(PATH, SPEECH);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { message: 'The voice broke.' } }]);
  });

  test('whose client goes away is made all the same', async () => {
    const response = await house.post(PATH, SPEECH);
    const { leave } = await readSome(response, 1_000);
    await leave();
    speaker.goOn();
    const id = response.headers.get('x-job-id') ?? '';
    expect(await ended(house, id)).toMatchObject({ status: 'completed' });
    const result = await house.call(`/v1/jobs/${id}/result`);
    expect(samplesOf(Buffer.from(await result.arrayBuffer())).equals(WHOLE)).toBe(true);
  });

  test('for a time, is sent whole or not at all', async () => {
    expect((await house.post(PATH, SPEECH, { prefer: 'wait=1' })).status).toBe(202);
    speaker.goOn();
    const response = await house.post(PATH, SPEECH, { prefer: 'wait=20' });
    expect([response.status, response.headers.has('content-length')]).toEqual([200, true]);
    expect((await response.arrayBuffer()).byteLength).toBe(WHOLE.length + 44);
  });
});

describe('a long text', () => {
  const long = { ...SPEECH, input: 'x'.repeat(LIMITS.speechCharacters + 1) };
  const asJob = { prefer: 'respond-async' };

  test('is refused where its speech would be waited for, and the refusal says how it is spoken', async () => {
    const response = await house.post(PATH, long);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { param: 'input', message: expect.stringContaining('"Prefer: respond-async"') } },
    ]);
  });

  test('of half a million characters is taken, whatever its JSON looks like, and is in no status', async () => {
    const input = '🎉'.repeat(LIMITS.longSpeechCharacters);
    const body = JSON.stringify({ ...SPEECH, input }).replaceAll('🎉', '\\ud83c\\udf89');
    const headers = { ...asJob, 'content-type': 'application/json' };
    const response = await house.call(PATH, { method: 'POST', body, headers });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as JobView;
    for (const path of [`/v1/jobs/${id}`, '/v1/jobs?limit=1']) {
      expect((await (await house.call(path)).text()).length).toBeLessThan(5_000);
    }
    const longer = await house.post(PATH, { ...SPEECH, input: `${input}!` }, asJob);
    expect([longer.status, await longer.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining('this one has 500001') } },
    ]);
    const huge = await house.post(PATH, { ...SPEECH, input: 'x'.repeat(7_000_000) }, asJob);
    expect([huge.status, await huge.json()]).toMatchObject([
      413,
      { error: { message: expect.stringContaining(`${LIMITS.speechBodyBytes} bytes`) } },
    ]);
  });

  test('is heard while it is made by who waits for its result', async () => {
    const { id } = (await (await house.post(PATH, long, asJob)).json()) as JobView;
    const result = (headers: Record<string, string> = {}) => house.call(`/v1/jobs/${id}/result`, { headers });
    await waitUntil('a part is there', async () => (await house.db.jobs.checkpointOf(house.account, id)) !== undefined);
    expect((await result()).status).toBe(409);
    expect((await result({ prefer: 'wait=5', accept: 'text/vtt' })).status).toBe(409);
    const response = await result({ prefer: 'wait=5' });
    const { rest } = await readSome(response, ALMOST_A_PART);
    speaker.goOn();
    expect(samplesOf(await rest()).equals(WHOLE)).toBe(true);
  });
});

describe('a result', () => {
  const finished = async () => {
    speaker.goOn();
    const { id } = (await (await house.post(PATH, SPEECH, { prefer: 'respond-async' })).json()) as JobView;
    await ended(house, id);
    return async (accept = '*/*') => {
      const response = await house.call(`/v1/jobs/${id}/result`, { headers: { accept } });
      return { id, status: response.status, type: response.headers.get('content-type'), body: await response.text() };
    };
  };

  test('is the sound, its subtitles, or its times and chapters, as the client accepts them', async () => {
    const result = await finished();
    for (const accept of ['*/*', 'application/octet-stream', 'audio/wav', 'application/json, text/plain, */*']) {
      expect((await result(accept)).type).toBe('audio/wav');
    }
    for (const type of ['application/x-subrip', 'text/vtt']) {
      const subtitles = await result(type);
      expect(subtitles.type).toBe(`${type}; charset=utf-8`);
      expect(readCues(subtitles.body)).toMatchObject([{ from: 0, to: PARTS * 1_000 }]);
    }
    const times = SpeechTimingsViewSchema.parse(JSON.parse((await result('application/json')).body));
    expect(times).toMatchObject({
      duration: PARTS,
      sentences: [{ text: 'One & two.', start: 0, end: PARTS }],
      chapters: [{ title: 'One', start: 0, end: PARTS }],
    });
    const none = await result('audio/mpeg');
    expect([none.status, JSON.parse(none.body)]).toMatchObject([
      406,
      { code: 'RESULT_NOT_ACCEPTABLE', detail: expect.stringContaining('audio/wav, ') },
    ]);
  });

  test('whose times are gone says so, and still sounds', async () => {
    const result = await finished();
    const { id } = await result();
    for await (const { key } of house.blobs.list(id)) if (key.endsWith('.json')) await house.blobs.delete(key);
    expect((await result('text/vtt')).status).toBe(410);
    expect((await result()).status).toBe(200);
  });
});

describe('a speech as events', () => {
  const asEvents = (fields: object = {}, headers = {}) =>
    house.post(PATH, { ...SPEECH, stream_format: 'sse', ...fields }, headers);
  const eventsIn = (text: string) =>
    [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => JSON.parse(data) as SpeechEvent | { error: unknown });
  const soundIn = (events: object[]) =>
    Buffer.concat(events.map((event) => Buffer.from('audio' in event ? String(event.audio) : '', 'base64')));

  test('comes in pieces while it is made, and ends with its usage', async () => {
    const response = await asEvents({ response_format: 'pcm' });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const { rest } = await readSome(response, ALMOST_A_PART);
    expect(await jobOf(house, response.headers.get('x-job-id') ?? '')).toMatchObject({ status: 'in_progress' });
    speaker.goOn();
    const events = eventsIn((await rest()).toString());
    expect(soundIn(events).equals(WHOLE)).toBe(true);
    const usage = { input_tokens: SPEECH.input.length, output_tokens: 150, total_tokens: SPEECH.input.length + 150 };
    expect(events.at(-1)).toEqual({ type: 'speech.audio.done', usage, expires_at: expect.any(Number) });
  });

  test('every event has an id after which the events of its job go on', async () => {
    speaker.goOn();
    const response = await asEvents();
    const ids = [...(await response.text()).matchAll(/^id: (.+)\ndata: /gm)].map(([, id = '']) => id);
    const resume = (id = '') =>
      house.call(`/v1/jobs/${response.headers.get('x-job-id')}/events`, { headers: { 'last-event-id': id } });
    expect(await (await resume(ids[0])).text()).toContain('event: job.completed\n');
    expect((await resume(ids.at(-1))).status).toBe(204);
  });

  test('is the whole of its file for who comes again under its key', async () => {
    speaker.goOn();
    const headers = { 'idempotency-key': 'events-1' };
    const accepted = await asEvents({}, { ...headers, prefer: 'respond-async' });
    const { id } = (await accepted.json()) as JobView;
    await ended(house, id);
    const again = await asEvents({}, headers);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const file = await (await house.call(`/v1/jobs/${id}/result`)).arrayBuffer();
    expect(soundIn(eventsIn(await again.text())).equals(Buffer.from(file))).toBe(true);
  });

  test('tells a failure by its status before the first sound, as its last event after it', async () => {
    speaker.trouble.set(0, rejected());
    const early = await asEvents();
    expect([early.status, await early.json()]).toMatchObject([400, { error: { code: 'tts_engine_rejected' } }]);
    speaker.trouble.set(1, rejected());
    const response = await asEvents();
    speaker.goOn();
    const events = eventsIn(await response.text());
    expect(soundIn(events).length).toBeGreaterThan(0);
    expect(events.at(-1)).toMatchObject({ error: { code: 'tts_engine_rejected', message: 'The voice broke.' } });
  });
});

test.each(SPEECH_FORMATS)(
  'a speech streamed as %s has the length of its file, which the rest of it comes from',
  async (format) => {
    speaker.settings.keeps = 1;
    const response = await house.post(PATH, { ...SPEECH, response_format: format });
    expect(response.headers.get('content-type')).toBe(contentTypeOf(format));
    const { rest } = await readSome(response, 1);
    speaker.goOn();
    const sound = await rest();
    const path = join(await mkdtemp(join(tmpdir(), 'aigolos-speech-')), 'speech');
    onTestFinished(() => rm(dirname(path), { recursive: true }));
    await writeFile(path, sound);
    const decoded = media.decode(path, { sampleRateHz: RATE_HZ, encodedAs: format }, AbortSignal.timeout(60_000));
    const samples = (await Array.fromAsync(decoded)).reduce((sum, { length }) => sum + length, 0);
    expect(Math.abs(samples / RATE_HZ / PARTS - 1)).toBeLessThan(0.02);
  },
);
