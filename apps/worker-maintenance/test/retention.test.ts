import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AsrServiceError,
  DEFAULT_RETENTION,
  newId,
  type RetentionWish,
  type TranscriptionTask,
  type TranscriptKind,
} from '@aigolos/contracts';
import { type JobRecord, newJobRecord } from '@aigolos/db';
import { createJobs, type JobContext, startQueueRunner } from '@aigolos/jobs';
import { type App, createCloser, createMetrics, loadConfig } from '@aigolos/runtime';
import { testLog as log, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import { type Config, ConfigSchema } from '../src/config.ts';

import { openStores, type Stores } from '../src/stores.ts';

const redis = useRedis();
const mongo = useMongo();
const closer = createCloser();
const DAY_MS = 24 * 60 * 60_000;
const SOON_MS = 5_000;
let config: Config;
let stores: Stores;
let app: App;
let submit: (fails: boolean, retention: RetentionWish) => Promise<string>;

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'aigolos-maintenance-'));
  closer.add(() => rm(dir, { recursive: true, force: true }));
  config = loadConfig(ConfigSchema, {
    MONGO_URL: mongo.newDatabaseUrl(),
    REDIS_URL: redis.url,
    QUEUE_PREFIX: `test-${randomUUID()}`,
    BLOB_DIR: dir,
    CLEANUP_CRON: '* * * * * *',
    CLEANUP_DAYS: '30',
  });
  const metrics = createMetrics('test');
  stores = await openStores(config, { closer, metrics, log });
  app = await startApp();
  const offer = { defaults: DEFAULT_RETENTION, maxSeconds: DEFAULT_RETENTION.result ?? 0 };
  const jobs = createJobs({ ...stores, retention: offer });
  const listen = async ({ job }: JobContext<TranscriptKind>) => {
    if (job.task.model === 'fails') throw new AsrServiceError('it is no speech', { code: 'ASR_ENGINE_REJECTED' });
    const result = { text: 'hi', language: 'en', durationSeconds: 1, segments: [], words: [] };
    return { result, usage: {}, warnings: [] };
  };
  const worker = startQueueRunner({
    queue: 'asr',
    processors: {
      transcription: listen,
      translation: listen,
      'voice-turn': () => Promise.reject(new Error('none is sent')),
    },
    deps: stores,
    redis: config,
    metrics,
  });
  closer.add(() => worker.stop());
  submit = async (fails, retention) => {
    const id = newId('transcription');
    await storeInput(id);
    const task = transcriptionOf(id, fails ? 'fails' : 'test');
    return (await jobs.submit({ kind: 'transcription', id, account: 'acc_1', task, retention })).job._id;
  };
});
afterAll(() => closer.closeAll());

async function startApp(): Promise<App> {
  const started = createApp(config, log);
  closer.add(() => started.stop());
  await started.start();
  return started;
}

function transcriptionOf(id: string, model: string): TranscriptionTask {
  const audio = { blobKey: `${id}/input`, bytes: 5, sha256: '00' };
  return { model, responseFormat: 'json', wordTimestamps: false, audio };
}

async function storeInput(id: string): Promise<void> {
  await stores.blobs.commit(await stores.blobs.receive(Readable.from(['audio']), { maxBytes: 9 }), `${id}/input`);
}

async function insertFinished(fields: Partial<JobRecord<'transcription'>>): Promise<string> {
  const _id = newId('transcription');
  await storeInput(_id);
  const task = transcriptionOf(_id, 'test');
  const submitted = { _id, kind: 'transcription' as const, account: 'acc_1', task, status: 'completed' as const };
  await stores.db.jobs.insert(newJobRecord({ ...submitted, ...fields }));
  return _id;
}

const hasInput = (id: string) => stores.blobs.exists(`${id}/input`);
const ended = (id: string) =>
  waitUntil('it has ended', async () => {
    const job = await stores.db.jobs.find(id);
    return job?.finishedAt && job;
  });

describe('retention', () => {
  test('deletes the input of a job within seconds of its success where that is asked for, and of no other', async () => {
    // Once to be sure that changes are watched.
    const first = await submit(false, { input: 0 });
    await waitUntil('its input is gone', async () => !(await hasInput(first)), SOON_MS);
    const [failed, plain, asked] = [
      await submit(true, { input: 0 }),
      await submit(false, {}),
      await submit(false, { input: 0 }),
    ];
    for (const id of [failed, plain, asked]) await ended(id);
    await waitUntil('the input is gone', async () => !(await hasInput(asked)), SOON_MS);
    const { finishedAt, inputDeletedAt } = await waitUntil('that is written down', async () => {
      const job = await stores.db.jobs.find(asked);
      return job?.inputDeletedAt && job;
    });
    expect(Number(inputDeletedAt) - Number(finishedAt)).toBeLessThan(SOON_MS);
    expect([await hasInput(failed), await hasInput(plain)]).toEqual([true, true]);
    expect(await ended(failed)).toMatchObject({ status: 'failed', inputExpiresAt: expect.any(Date) });
  });

  test('moves the end of a conversation with its messages', async () => {
    const { conversations } = stores.db;
    const { _id: conversation } = await conversations.create('acc_1');
    await conversations.takeTurn('acc_1', conversation, { otherwise: 60 });
    const at = new Date(Date.now() + 600_000);
    const messages = [{ role: 'user' as const, content: 'hi' }];
    await conversations.appendTurn({ conversation, account: 'acc_1', job: 'cht_1', messages, at });
    await waitUntil(
      'its end has moved',
      async () => {
        const { expiresAt } = (await conversations.findOwned('acc_1', conversation)) ?? {};
        return expiresAt?.getTime() === at.getTime() + 60_000;
      },
      SOON_MS,
    );
  });

  test('of what has no end of its own is a matter of the scheduled cleanup', async () => {
    const [old, young] = [31, 29].map((days) => new Date(Date.now() - days * DAY_MS)) as [Date, Date];
    const [gone, kept] = [await insertFinished({ finishedAt: old }), await insertFinished({ finishedAt: young })];
    await waitUntil('it is gone', async () => (await stores.db.jobs.find(gone)) === undefined, SOON_MS);
    expect([await hasInput(gone), await hasInput(kept)]).toEqual([false, true]);
    expect(await stores.db.jobs.find(kept)).toBeDefined();
  });

  test('deletes what came due while nobody was there', async () => {
    await app.stop();
    const due = await insertFinished({ expiresAt: new Date() });
    const files = await insertFinished({ inputExpiresAt: new Date(), filesExpireAt: new Date() });
    await startApp();
    await waitUntil('both are gone', async () => !(await hasInput(due)) && !(await hasInput(files)));
    await waitUntil('its record too', async () => (await stores.db.jobs.find(due)) === undefined);
    expect(await stores.db.jobs.find(files)).toBeDefined();
  });
});
