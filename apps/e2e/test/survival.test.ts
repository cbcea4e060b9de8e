import { createReadStream } from 'node:fs';
import { audioClip } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AppName, type Stack, startStack } from './stack.ts';

/** Takes some seconds to be spoken at the stack's pace, and to be answered. */
const TEXT = 'Ask not what your country can do for you, ask this.';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ engines: 'test', paceMs: 100 });
});
afterAll(() => stack?.stop());

async function submit(call: { asResponse(): Promise<Response> }): Promise<string> {
  const response = await call.asResponse();
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: string }).id;
}
const ASYNC = { headers: { Prefer: 'respond-async' } };

/** Work that takes some seconds at the stack's pace, one of each kind. */
const work = {
  'worker-asr': () =>
    submit(
      stack.client.audio.transcriptions.create(
        { file: createReadStream(audioClip('kennedy')), model: 'whisper-1' },
        ASYNC,
      ),
    ),
  'worker-llm': () =>
    submit(
      stack.client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: TEXT }] }, ASYNC),
    ),
  'worker-tts': () => submit(stack.client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: TEXT }, ASYNC)),
} as const satisfies Partial<Record<AppName, () => Promise<string>>>;
const workers = Object.keys(work) as (keyof typeof work)[];

async function expectOneResult(id: string): Promise<void> {
  expect((await stack.fetch(`/v1/jobs/${id}/result`)).status).toBe(200);
}

describe('each worker, all kinds at once', () => {
  const withEachWorker = (scenario: (name: keyof typeof work) => Promise<void>) => Promise.all(workers.map(scenario));

  test('killed in the middle of a job: the job completes once, by another process', async () => {
    await withEachWorker(async (name) => {
      const id = await work[name]();
      await stack.untilJob(id, ['in_progress']);
      await stack.end(stack.app(name), 'SIGKILL');
      await stack.start(name);
      expect(await stack.untilJob(id, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempt: 2 });
      await expectOneResult(id);
    });
  });

  test('told to stop in the middle of a job: it gives the job back, the attempt does not count', async () => {
    await withEachWorker(async (name) => {
      const id = await work[name]();
      await stack.untilJob(id, ['in_progress']);
      expect(await stack.end(stack.app(name), 'SIGTERM')).toMatchObject({ exitCode: 0 });
      expect(await stack.job(id)).toMatchObject({ status: 'queued', attempt: 0 });
      await stack.start(name);
      expect(await stack.untilJob(id, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempt: 1 });
      await expectOneResult(id);
    });
  });

  test('asked to cancel a job: the engine stops, and the worker goes on with the next', async () => {
    await withEachWorker(async (name) => {
      const id = await work[name]();
      await stack.untilJob(id, ['in_progress']);
      await stack.fetch(`/v1/jobs/${id}/cancel`, { method: 'POST' });
      await stack.untilJob(id, ['cancelled'], 5_000);
      expect((await stack.fetch(`/v1/jobs/${id}/result`)).status).toBe(409);
      const next = await work[name]();
      expect(await stack.untilJob(next, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempt: 1 });
    });
  });
});

test('the gateway killed while a job runs: the job completes, and its result is there', async () => {
  const id = await work['worker-tts']();
  await stack.untilJob(id, ['in_progress']);
  await stack.end(stack.app('gateway'), 'SIGKILL');
  await stack.start('gateway');
  expect(await stack.untilJob(id, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempt: 1 });
  await expectOneResult(id);
});

test('Redis forgets everything while ten jobs wait: all complete, each once', async () => {
  await stack.end(stack.app('worker-tts'), 'SIGTERM');
  const short = () =>
    submit(stack.client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Good morning.' }, ASYNC));
  const ids = await Promise.all(Array.from({ length: 10 }, short));
  await stack.redis.flushAll();
  await stack.start('worker-tts');
  for (const id of ids) {
    expect(await stack.untilJob(id, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempt: 1 });
  }
});

test('two of each worker side by side do every job once', async () => {
  const second = await Promise.all(workers.map((name) => stack.start(name)));
  const short = [
    () => submit(stack.client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Good morning.' }, ASYNC)),
    () =>
      submit(
        stack.client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] }, ASYNC),
      ),
    () =>
      submit(
        stack.client.audio.transcriptions.create(
          { file: createReadStream(audioClip('count')), model: 'whisper-1' },
          ASYNC,
        ),
      ),
  ];
  const ids = await Promise.all(Array.from({ length: 8 }, () => short.map((one) => one())).flat());
  for (const id of ids) {
    expect(await stack.untilJob(id, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempt: 1 });
    expect((await stack.db.jobs.find(id))?.fence).toBe(1);
  }
  for (const app of second) await stack.end(app, 'SIGTERM');
});

test('deleting a job removes its files', async () => {
  const id = await work['worker-asr']();
  await stack.untilJob(id, ['in_progress']);
  await stack.fetch(`/v1/jobs/${id}/cancel`, { method: 'POST' });
  await stack.untilJob(id, ['cancelled'], 5_000);
  expect(await stack.blobsOf(id)).not.toEqual([]);
  expect((await stack.fetch(`/v1/jobs/${id}`, { method: 'DELETE' })).status).toBe(200);
  await stack.untilBlobsAreGone(id);
  expect((await stack.fetch(`/v1/jobs/${id}`)).status).toBe(404);
});
