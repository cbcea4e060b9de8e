import { AsrServiceError, type JobStep, VOICE_TURN_STEPS, type VoiceTurnTask } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { testLog as log, type RedisProcess, startRedis, useMongo, waitUntil } from '@aigolos/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ACCOUNT, createHarness, type Harness, type TestWorker } from '../test/harness.ts';
import { answerStep, retryJob, speakStep, transcribeStep } from './index.ts';

const mongo = useMongo();
let redis: RedisProcess;
let house: Harness;
let workers: TestWorker[] = [];
beforeAll(async () => {
  redis = await startRedis();
  house = await createHarness(redis, mongo);
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.drain();
});
afterAll(async () => {
  await house.close();
  await redis.kill('SIGKILL');
});

const QUEUES = { transcribe: 'asr', answer: 'llm', speak: 'tts' } as const;
const TASK: VoiceTurnTask = {
  model: 'llm',
  instructions: 'be brief',
  transcription: { model: 'asr' },
  speech: { model: 'tts', voice: 'joe', format: 'wav', speed: 1 },
  audio: { blobKey: 'vtn_1/input', bytes: 1, sha256: '' },
};
const SPEECH = { blobKey: 'vtn_1/output-1.wav', contentType: 'audio/wav', bytes: 1, durationSeconds: 1.5 };
const submit = async (task: Partial<VoiceTurnTask> = {}) =>
  (await house.jobs.submit({ kind: 'voice-turn', account: ACCOUNT, task: { ...TASK, ...task } })).job;
const find = async (id: string) => (await house.db.jobs.find(id)) as JobRecord<'voice-turn'>;
/** As an operator does, once the end was told. */
const retry = async (id: string) => {
  await house.db.jobs.clearWebhooksPending([id]);
  return retryJob({ ...house, log }, id);
};
const end = (id: string) => house.jobs.waitForEnd(ACCOUNT, id, { timeoutMs: 20_000 });

/** Engines that note what they are asked; `hook` may keep a step back or let it fail. */
function engines(hook: (step: JobStep, signal: AbortSignal, time: number) => Promise<void> = async () => {}) {
  const done: Record<JobStep, unknown[]> = { transcribe: [], answer: [], speak: [] };
  const times: Record<JobStep, number> = { transcribe: 0, answer: 0, speak: 0 };
  const enter = async (step: JobStep, signal: AbortSignal) => {
    times[step] += 1;
    await hook(step, signal, times[step]);
  };
  const steps = {
    transcribe: transcribeStep(async ({ signal, job, checkpoint }) => {
      await enter('transcribe', signal);
      done.transcribe.push(job.task.audio.blobKey);
      checkpoint('half');
      const result = { text: 'How are you?', language: 'en', durationSeconds: 2, segments: [], words: [] };
      return { result, usage: { audioSeconds: 2, computeMs: 1 }, warnings: ['noisy'] };
    }),
    answer: answerStep(async ({ signal, job, emitDelta }) => {
      await enter('answer', signal);
      done.answer.push(job.task.messages);
      emitDelta('Fine.');
      const usage = { promptTokens: 5, completionTokens: 2, computeMs: 1 };
      return { result: { text: 'Fine.', finishReason: 'stop' }, usage, warnings: [] };
    }),
    speak: speakStep(async ({ signal, job, reportProgress }) => {
      await enter('speak', signal);
      done.speak.push(job.task.input);
      reportProgress(0.5);
      return { result: SPEECH, usage: { inputCharacters: 5, audioSeconds: 1.5, computeMs: 1 }, warnings: [] };
    }),
  };
  const start = (step: JobStep) => {
    const worker = house.startWorker({ 'voice-turn': steps[step] }, { queue: QUEUES[step], leaseMs: 1_000 });
    workers.push(worker);
    return worker;
  };
  return { done, start, startAll: () => VOICE_TURN_STEPS.map(start) };
}

/** What must be so after the end of any turn, whatever happened on the way. */
async function expectWhole(id: string, { done }: ReturnType<typeof engines>): Promise<JobRecord<'voice-turn'>> {
  await end(id);
  const job = await find(id);
  expect(job).toMatchObject({
    status: 'completed',
    progress: 1,
    warnings: ['noisy'],
    result: {
      transcript: { text: 'How are you?', language: 'en', durationSeconds: 2 },
      answer: { text: 'Fine.', finishReason: 'stop' },
      speech: SPEECH,
    },
    usage: { audioSeconds: 2, inputCharacters: 5, promptTokens: 5, completionTokens: 2, computeMs: 3 },
  });
  expect(job.checkpoint).toBeUndefined();
  expect(done).toEqual({
    transcribe: ['vtn_1/input'],
    answer: [
      [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'How are you?' },
      ],
    ],
    speak: ['Fine.'],
  });
  // They are written just after the end.
  await waitUntil('its messages are written', async () => !(await find(job._id)).messagesPending);
  const messages = await house.db.conversations.lastMessages(job.conversation ?? '', 10);
  expect(messages.map(({ role, content }) => [role, content])).toEqual([
    ['user', 'How are you?'],
    ['assistant', 'Fine.'],
  ]);
  return job;
}

test('a voice turn travels over three queues, each step once, with one usage and its messages written once', async () => {
  const all = engines();
  all.startAll();
  const { _id: id } = await submit({ conversation: 'new' });
  const job = await expectWhole(id, all);
  expect(job.attempt).toBe(1);
  expect(job.attempts?.map(({ outcome }) => outcome)).toEqual(['handed_over', 'handed_over', 'completed']);
});

test.each(VOICE_TURN_STEPS)(
  'an engine that fails once in the step "%s" does not have the steps before done again',
  async (step) => {
    const all = engines(async (at, _signal, time) => {
      if (at === step && time === 1)
        throw new AsrServiceError('it fell over', { code: 'ASR_ENGINE_FAILED', retryable: true });
    });
    all.startAll();
    const { _id: id } = await submit({ conversation: 'new' });
    expect(await expectWhole(id, all)).toMatchObject({ attempt: 2 });
  },
);

test.each(VOICE_TURN_STEPS)(
  'a worker that is told to stop, or dies, in the step "%s" leaves the steps before as they are',
  async (step) => {
    const begun = Promise.withResolvers<void>();
    const all = engines(async (at, signal, time) => {
      if (at !== step || time > 1) return;
      begun.resolve();
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    const [stopped] = VOICE_TURN_STEPS.filter((at) => at === step).map(all.start);
    for (const other of VOICE_TURN_STEPS) if (other !== step) all.start(other);
    const { _id: id } = await submit({ conversation: 'new' });
    await begun.promise;
    await stopped?.drain();
    // Somebody takes it and is never heard of again.
    expect(await house.db.jobs.claim(id, { worker: 'dead', leaseMs: 300 })).toMatchObject({ outcome: 'claimed' });
    all.start(step);
    const job = await expectWhole(id, all);
    expect(job.crashes).toBe(1);
    expect(job.attempts?.map(({ outcome }) => outcome).toSorted()).toEqual(
      ['completed', 'drained', 'handed_over', 'handed_over', 'vanished'].toSorted(),
    );
  },
  30_000,
);

test.each(VOICE_TURN_STEPS)(
  'a cancel in the step "%s" stops it, and leaves the conversation as it was to the next turn',
  async (step) => {
    const begun = Promise.withResolvers<void>();
    const all = engines(async (at, signal, time) => {
      if (at !== step || time > 1) return;
      begun.resolve();
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    all.startAll();
    const first = await submit({ conversation: 'new' });
    await begun.promise;
    const second = await submit({ conversation: first.conversation ?? '' });
    await house.jobs.cancel(ACCOUNT, first._id);
    expect(await end(first._id)).toMatchObject({ status: 'cancelled' });
    expect(await end(second._id)).toMatchObject({ status: 'completed' });
    expect(await house.db.conversations.lastMessages(first.conversation ?? '', 10)).toHaveLength(2);
  },
);

test.each(VOICE_TURN_STEPS)(
  'a turn that failed in the step "%s" goes on with that step when it is sent back, and the steps before are not done again',
  async (step) => {
    const all = engines(async (at, _signal, time) => {
      if (at === step && time === 1) throw new AsrServiceError('it will not do', { code: 'ASR_ENGINE_REJECTED' });
    });
    all.startAll();
    const { _id: id } = await submit({ conversation: 'new' });
    expect(await end(id)).toMatchObject({ status: 'failed', failure: { code: 'ASR_ENGINE_REJECTED' } });
    await retry(id);
    expect(await expectWhole(id, all)).toMatchObject({ attempt: 1, retries: 1 });
  },
);

test('a turn that fails again where it went on keeps what it had, and one whose worker died too often does too', async () => {
  const all = engines(async (at, _signal, time) => {
    if (at === 'speak' && time === 1) throw new AsrServiceError('it will not do', { code: 'ASR_ENGINE_REJECTED' });
  });
  all.startAll();
  const { _id: id } = await submit({ conversation: 'new' });
  await end(id);
  for (const worker of workers.splice(0)) await worker.drain();
  expect(await retry(id)).toMatchObject({ status: 'queued', step: 'speak', progress: 2 / 3 });
  for (let death = 0; death < 3; death += 1) {
    const claim = await house.db.jobs.claim(id, { worker: `dead-${death}`, leaseMs: 1 });
    expect(claim.outcome).toBe('claimed');
    await waitUntil('its lease has run out', async () => ((await find(id)).leaseUntil ?? 0) < new Date());
  }
  const speaking = all.start('speak');
  await waitUntil('it is given up', async () => (await find(id)).status === 'failed');
  expect(await find(id)).toMatchObject({ failure: { code: 'ENGINE_CRASHED' }, step: 'speak' });
  await retry(id);
  await expectWhole(id, all);
  await speaking.drain();
}, 30_000);

test('a turn that was cancelled begins anew when it is sent back: nothing was kept of it', async () => {
  const all = engines();
  all.start('transcribe');
  const { _id: id } = await submit();
  await waitUntil('it waits for its second step', async () => (await find(id)).step === 'answer');
  await house.jobs.cancel(ACCOUNT, id);
  expect((await find(id)).checkpoint).toBeUndefined();
  const retried = await retry(id);
  expect(retried).toMatchObject({ progress: 0 });
  expect(retried.step).toBeUndefined();
  all.start('answer');
  all.start('speak');
  expect(await end(id)).toMatchObject({ status: 'completed' });
  expect(all.done.transcribe).toHaveLength(2);
  expect(all.done.answer).toHaveLength(1);
});

test('a cancel between two steps ends it, and its queue forgets it', async () => {
  const all = engines();
  all.start('transcribe');
  const { _id: id } = await submit();
  await waitUntil('it waits for its second step', async () => (await find(id)).step === 'answer');
  await waitUntil('the queue knows it', () => house.producer.knows({ id, kind: 'voice-turn', step: 'answer' }));
  await house.jobs.cancel(ACCOUNT, id);
  expect(await find(id)).toMatchObject({ status: 'cancelled' });
  expect(await house.producer.knows({ id, kind: 'voice-turn', step: 'answer' })).toBe(false);
});

test('what Redis forgets between two steps comes back to the queue of its step', async () => {
  const all = engines();
  all.start('transcribe');
  const { _id: id } = await submit({ conversation: 'new' });
  await waitUntil('it waits for its second step', async () => (await find(id)).step === 'answer');
  await redis.flushAll();
  await waitUntil('the reconciler finds it', async () => {
    await house.reconciler.sweep(new AbortController().signal);
    return house.producer.knows({ id, kind: 'voice-turn', step: 'answer' });
  });
  all.start('answer');
  all.start('speak');
  await expectWhole(id, all);
}, 30_000);

test('a worker that dies between the two writes of a hand-over, and leaves it on the queue before, loses nothing', async () => {
  const all = engines();
  const { _id: id } = await submit({ conversation: 'new' });
  const claim = await house.db.jobs.claim(id, { worker: 'dead', leaseMs: 60_000 });
  const transcript = { text: 'How are you?', language: 'en', durationSeconds: 2 };
  const checkpoint = { version: 1, transcript, usage: { audioSeconds: 2, computeMs: 1 }, warnings: ['noisy'] };
  expect(claim.outcome).toBe('claimed');
  expect(await house.db.jobs.handOver(id, 1, { step: 'answer', checkpoint, progress: 1 / 3 })).toBe(true);
  all.startAll();
  all.done.transcribe.push('vtn_1/input');
  await expectWhole(id, all);
  // A late step writes nothing any more.
  expect(await house.db.jobs.handOver(id, 1, { step: 'answer', checkpoint, progress: 1 / 3 })).toBe(false);
});
