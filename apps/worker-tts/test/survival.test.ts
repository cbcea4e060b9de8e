import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { buffer, json } from 'node:stream/consumers';
import { openBlobStore } from '@aigolos/blob-store';
import {
  newId,
  type SpeechCheckpoint,
  SpeechCheckpointSchema,
  SpeechTimingsSchema,
  speechPartPrefix,
} from '@aigolos/contracts';
import { newJobRecord, openDatabase } from '@aigolos/db';
import { createTestTtsEngine, TEST_TTS_SECONDS_PER_CHARACTER, type TtsEngine } from '@aigolos/engines/tts';
import { createJobRunner } from '@aigolos/jobs';
import { createMedia } from '@aigolos/media';
import { createLiveStreams, createProducer, createReadCache } from '@aigolos/queue';
import { createMetrics } from '@aigolos/runtime';
import { testLog as log, startApp, testConfig, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createSpeakProcessor } from '../src/speak.processor.ts';
import { planSpeech } from '../src/speech-plan.ts';

const redis = useRedis();
const mongo = useMongo();

const input = [1, 2, 3]
  .map((chapter) => `# Chapter the ${chapter}\n${'The rain fell all day long, and nobody came. '.repeat(12)}\n`)
  .join('\n');
const plan = planSpeech(input);
/** The test engine sounds as long as what it is given has characters. */
const secondsOf = (sentences: { text: string }[]) =>
  sentences.reduce((sum, { text }) => sum + text.length, 0) * TEST_TTS_SECONDS_PER_CHARACTER;

test('a worker that is killed in the middle of a long speech: the next one goes on after the last group that was kept', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'aigolos-speech-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const config = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}` };
  const MONGO_URL = mongo.newDatabaseUrl();
  const blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: dir, S3_REGION: 'us-east-1' });
  const db = await openDatabase(MONGO_URL);
  await db.prepare();
  const producer = await createProducer(config, log);
  const live = await createLiveStreams(config, log);
  const cache = await createReadCache(config, log);
  onTestFinished(async () => {
    await Promise.all([producer.close(), live.close(), cache.close(), db.close()]);
  });
  const task = { model: 'test-tts', voice: 'test-low', input, format: 'wav', speed: 1 } as const;
  const [id, account] = [newId('speech'), 'acc_1'];
  await db.jobs.insert(newJobRecord({ _id: id, kind: 'speech', account, task }));
  await producer.add({ id, kind: 'speech', account });

  const worker = await startApp('worker-tts', {
    ...config,
    MONGO_URL,
    BLOB_DIR: dir,
    TTS_ENGINE: 'test',
    TEST_ENGINE_PACE_MS: '2',
    PATH: [join(process.execPath, '..'), testConfig.PATH].join(delimiter),
  });
  onTestFinished(() => worker.end('SIGKILL').then(() => {}));
  const kept = async () => SpeechCheckpointSchema.safeParse(await db.jobs.checkpointOf(account, id)).data;
  await waitUntil('some groups are kept', async () => ((await kept())?.parts.length ?? 0) >= 3, 60_000);
  await worker.end('SIGKILL');
  const before = (await kept()) as SpeechCheckpoint;
  const done = before.parts.flatMap(({ sentences }) => sentences).length;
  expect(done).toBeLessThan(plan.length);
  // Its lease runs out.
  await db.jobs.renew(id, 1, { leaseMs: -1, progress: 0 });

  const spoken: string[] = [];
  const engine = createTestTtsEngine();
  const counting: TtsEngine = {
    ...engine,
    synthesize(text, ...rest) {
      spoken.push(text);
      return engine.synthesize(text, ...rest);
    },
  };
  const media = createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' });
  const runner = createJobRunner({
    queue: 'tts',
    processors: { speech: createSpeakProcessor({ engines: [counting], media, blobs }) },
    deps: { db, producer, live, cache, log },
    metrics: createMetrics('test'),
  });
  expect(await runner.handle(id)).toBe('done');

  const job = await db.jobs.find(id);
  expect(job).toMatchObject({ status: 'completed', attempt: 2, crashes: 1 });
  expect(spoken).toEqual(plan.slice(done).map(({ text }) => text));
  const { blobKey = '', durationSeconds = 0, timings } = job?.kind === 'speech' ? (job.result ?? {}) : {};
  // To the sample as long as without the kill, and so is the file itself.
  expect(durationSeconds).toBeCloseTo(secondsOf(plan), 4);
  const probed = await blobs.withLocalFile(blobKey, (path) => media.probe(path));
  expect(probed.durationSeconds).toBeCloseTo(durationSeconds, 2);
  const uninterrupted = media.encode(
    (async function* () {
      for (const { text } of plan) {
        yield* engine.synthesize(text, { voice: 'test-low', speed: 1 }, new AbortController().signal);
      }
    })(),
    { format: 'wav' },
    new AbortController().signal,
  );
  const [sound, expected] = [await blobs.read(blobKey), (await uninterrupted).stream];
  expect((await buffer(sound)).equals(await buffer(expected))).toBe(true);

  const { sentences, chapters } = SpeechTimingsSchema.parse(await json(await blobs.read(timings?.blobKey ?? '')));
  for (const [index, { text, start, end }] of sentences.entries()) {
    expect(text).toBe(plan[index]?.text.trim());
    expect(Math.abs(start - secondsOf(plan.slice(0, index)))).toBeLessThan(0.02);
    expect(Math.abs(end - secondsOf(plan.slice(0, index + 1)))).toBeLessThan(0.02);
  }
  expect(chapters.map(({ title }) => title)).toEqual([1, 2, 3].map((chapter) => `Chapter the ${chapter}`));
  expect(chapters.map(({ end }) => end)).toEqual([chapters[1]?.start, chapters[2]?.start, durationSeconds]);
  // Whose fence a part has tells which attempt has spoken it.
  const parts: string[] = [];
  for await (const { key } of blobs.list(id)) if (key.startsWith(speechPartPrefix(id))) parts.push(key);
  expect(before.parts.map((part) => part.blobKey)).toSatisfy((keys: string[]) =>
    keys.every((key) => parts.includes(key)),
  );
}, 120_000);
