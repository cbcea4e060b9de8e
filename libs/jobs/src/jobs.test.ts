import { once } from 'node:events';
import { LlmServiceError } from '@aigolos/contracts';
import { startRedis, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answer } from '../test/answers.ts';
import { ACCOUNT, createHarness, type Harness } from '../test/harness.ts';
import { conversationContext, type JobContext } from './index.ts';

const redis = useRedis();
const mongo = useMongo();
let house: Harness;
beforeEach(async () => {
  house = await createHarness(redis, mongo);
});
afterEach(() => house.close());

const untilAborted = async ({ signal }: JobContext<'chat'>): Promise<never> => {
  await once(signal, 'abort');
  throw signal.reason as Error;
};
const ended = (id: string, timeoutMs = 15_000) => house.jobs.waitForEnd(ACCOUNT, id, { timeoutMs });
const retryable = () => new LlmServiceError('try again', { code: 'LLM_ENGINE_FAILED', retryable: true });

describe('a job', () => {
  test('reaches its result, and its owner hears of it', async () => {
    house.startWorker(async ({ job }) => answer(`you said ${job.task.messages[0]?.content}`));
    const { _id } = await house.submitChat();
    const job = await ended(_id);
    expect(job).toMatchObject({ status: 'completed', progress: 1, attempt: 1, result: { text: 'you said hi' } });
    expect(job.expiresAt?.getTime()).toBeGreaterThan(Date.now());
    await expect(house.jobs.get('acc_2', _id)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  test('tells those who watch it every piece of text, in order, and its end', async () => {
    house.startWorker(async ({ emitDelta }) => {
      for (const text of ['one ', 'two ', 'three']) emitDelta(text);
      return answer('one two three');
    });
    const { _id } = await house.submitChat();
    const news = await Array.fromAsync(house.jobs.watch(ACCOUNT, _id, AbortSignal.timeout(10_000)));
    const told = news.filter((item) => item.type !== 'checkpoint');
    expect(told.map((item) => (item.type === 'delta' ? item.text : item.job.status))).toEqual([
      'one ',
      'two ',
      'three',
      'completed',
    ]);
  });

  test('is tried again after a retryable error, with what its checkpoint kept', async () => {
    const seen: unknown[] = [];
    house.startWorker(async ({ job, checkpoint }) => {
      seen.push(job.checkpoint);
      checkpoint({ done: seen.length });
      if (seen.length < 3) throw retryable();
      return answer('third time');
    });
    const { _id } = await house.submitChat();
    expect(await ended(_id)).toMatchObject({ status: 'completed', attempt: 3, result: { text: 'third time' } });
    expect(seen).toEqual([undefined, { done: 1 }, { done: 2 }]);
  });

  test('fails after three retryable errors, and at once after one that is not', async () => {
    let attempts = 0;
    house.startWorker(async ({ job }) => {
      attempts += 1;
      if (job.task.model === 'strict') throw new LlmServiceError('never', { code: 'LLM_ENGINE_REJECTED' });
      throw retryable();
    });
    const patient = await house.submitChat();
    expect(await ended(patient._id)).toMatchObject({ status: 'failed', failure: { code: 'LLM_ENGINE_FAILED' } });
    expect(attempts).toBe(3);
    const strict = await house.submitChat({ model: 'strict' });
    expect(await ended(strict._id)).toMatchObject({ status: 'failed', attempt: 1, failure: { message: 'never' } });
  });

  test('shows nothing of an error that nobody coded', async () => {
    house.startWorker(async ({ job }) => {
      throw job.attempt < 3 ? retryable() : new Error('/secret/path leaked');
    });
    const { _id } = await house.submitChat();
    const { failure } = await ended(_id);
    expect(failure?.code).toBe('INTERNAL');
    expect(failure?.message).not.toContain('secret');
  });
});

describe('cancelling', () => {
  test('a running job stops its engine and ends cancelled; again, or after the end, it is harmless', async () => {
    const stopped = Promise.withResolvers<void>();
    house.startWorker(async (context) => {
      await untilAborted(context).catch((error: unknown) => {
        stopped.resolve();
        throw error;
      });
      return answer('too late');
    });
    const { _id } = await house.submitChat();
    await waitUntil('it runs', async () => (await house.jobs.get(ACCOUNT, _id)).status === 'in_progress');
    const asked = Date.now();
    await house.jobs.cancel(ACCOUNT, _id);
    await stopped.promise;
    expect(Date.now() - asked).toBeLessThan(1_000);
    expect(await ended(_id)).toMatchObject({ status: 'cancelled' });
    expect(await house.jobs.cancel(ACCOUNT, _id)).toMatchObject({ status: 'cancelled' });
  });

  test('a queued job ends at once and never runs', async () => {
    const { _id } = await house.submitChat();
    expect(await house.jobs.cancel(ACCOUNT, _id)).toMatchObject({ status: 'cancelled', attempt: 0 });
    expect((await house.jobs.get(ACCOUNT, _id)).usage).toBeUndefined();
    const seen: string[] = [];
    house.startWorker(async ({ job }) => {
      seen.push(job._id);
      return answer('');
    });
    const other = await house.submitChat();
    await ended(other._id);
    expect(seen).toEqual([other._id]);
  });

  test('reaches the engine through the lease when the message is lost', async () => {
    house.startWorker(untilAborted, { leaseMs: 600 });
    const { _id } = await house.submitChat();
    await waitUntil('it runs', async () => (await house.jobs.get(ACCOUNT, _id)).status === 'in_progress');
    await house.db.jobs.requestCancel(ACCOUNT, _id, {});
    expect(await ended(_id)).toMatchObject({ status: 'cancelled' });
  });
});

describe('when a worker goes away', () => {
  test('a drained worker gives its job back, the attempt does not count, and another finishes it', async () => {
    const first = house.startWorker(untilAborted);
    const { _id } = await house.submitChat();
    await waitUntil('it runs', async () => (await house.jobs.get(ACCOUNT, _id)).status === 'in_progress');
    await first.drain();
    expect(await house.jobs.get(ACCOUNT, _id)).toMatchObject({ status: 'queued', attempt: 0 });
    house.startWorker(async () => answer('second'));
    expect(await ended(_id)).toMatchObject({ status: 'completed', attempt: 1, result: { text: 'second' } });
  });

  test('who lost the lease is stopped, and what it made is thrown away', async () => {
    const stopped = Promise.withResolvers<unknown>();
    house.startWorker(
      async ({ job, signal }) => {
        if (job.fence > 1) return answer('the new owner');
        await once(signal, 'abort');
        stopped.resolve(signal.reason);
        return answer('the old owner');
      },
      { leaseMs: 300, concurrency: 2 },
    );
    const { _id } = await house.submitChat();
    await waitUntil('it runs', async () => (await house.jobs.get(ACCOUNT, _id)).status === 'in_progress');
    await house.db.jobs.release(_id, 1, { outcome: 'retried' });
    await stopped.promise;
    await house.producer.remove({ id: _id, kind: 'chat' }).catch(() => {});
    await waitUntil('the queue takes it again', async () => {
      await house.producer.add({ id: _id, kind: 'chat', account: ACCOUNT });
      return (await house.jobs.get(ACCOUNT, _id)).status === 'completed';
    });
    expect(await house.jobs.get(ACCOUNT, _id)).toMatchObject({ fence: 2, result: { text: 'the new owner' } });
  });

  test('a job that killed its worker three times fails and is not tried again', async () => {
    const { _id } = await house.submitChat();
    for (let crash = 0; crash < 3; crash += 1) {
      expect(await house.db.jobs.claim(_id, { worker: 'doomed', leaseMs: -1 })).toMatchObject({ outcome: 'claimed' });
    }
    let ran = false;
    house.startWorker(async () => {
      ran = true;
      return answer('');
    });
    expect(await ended(_id)).toMatchObject({ status: 'failed', failure: { code: 'ENGINE_CRASHED' } });
    expect(ran).toBe(false);
  });

  test('many workers on one queue run each job once', async () => {
    const ran: string[] = [];
    const count = async ({ job }: JobContext<'chat'>) => {
      ran.push(job._id);
      return answer('done');
    };
    for (let worker = 0; worker < 4; worker += 1) house.startWorker(count, { concurrency: 3 });
    const submitted = await Promise.all(Array.from({ length: 40 }, () => house.submitChat()));
    for (const { _id } of submitted) expect((await ended(_id)).status).toBe('completed');
    expect(ran.toSorted()).toEqual(submitted.map(({ _id }) => _id).toSorted());
  });
});

describe('when Redis forgets or goes away', () => {
  test('jobs it forgot are put back once and all complete', async () => {
    const submitted = await Promise.all(Array.from({ length: 10 }, () => house.submitChat()));
    for (const { _id } of submitted) await house.producer.remove({ id: _id, kind: 'chat' });
    const ran: string[] = [];
    house.startWorker(async ({ job }) => {
      ran.push(job._id);
      return answer('done');
    });
    await waitUntil('the reconciler finds all', async () => {
      await house.reconciler.sweep(new AbortController().signal);
      return ran.length === 10;
    });
    for (const { _id } of submitted) expect((await ended(_id)).status).toBe('completed');
    expect(new Set(ran).size).toBe(10);
  });

  test('a job whose worker died and that Redis forgot comes back when its lease ran out', async () => {
    const { _id } = await house.submitChat();
    await house.producer.remove({ id: _id, kind: 'chat' });
    await house.db.jobs.claim(_id, { worker: 'dead', leaseMs: -1 });
    await house.reconciler.sweep(new AbortController().signal);
    house.startWorker(async () => answer('revived'));
    expect(await ended(_id)).toMatchObject({ status: 'completed', crashes: 1, fence: 2 });
  });

  test('a submission is acknowledged without Redis, and its end is seen by looking at the record', async () => {
    const own = await startRedis();
    const alone = await createHarness({ url: own.url }, mongo);
    try {
      own.signal('SIGKILL');
      await waitUntil('Redis is gone', () =>
        alone.producer.ping().then(
          () => false,
          () => true,
        ),
      );
      const { _id } = await alone.submitChat();
      const claim = await alone.db.jobs.claim(_id, { worker: 'w', leaseMs: 5_000 });
      expect(claim.outcome).toBe('claimed');
      const waiting = alone.jobs.waitForEnd(ACCOUNT, _id, { timeoutMs: 10_000 });
      await alone.db.jobs.finish(_id, 1, { status: 'completed', finishedAt: new Date() });
      expect((await waiting).status).toBe('completed');
    } finally {
      await own.restart();
      await alone.close();
      await own.kill();
    }
  });
});

describe('a conversation', () => {
  test('its turns run one after another in their order, each with what was answered before', async () => {
    const { _id: conversation } = await house.db.conversations.create(ACCOUNT);
    const contexts: string[][] = [];
    const process = async ({ job }: JobContext<'chat'>) => {
      const before = await conversationContext(house.db.conversations, conversation, 10);
      contexts.push(before.map(({ content }) => content));
      return answer(`answer ${job.turn}`);
    };
    house.startWorker(process, { concurrency: 4 });
    house.startWorker(process, { concurrency: 4 });
    const turns = [];
    for (let turn = 0; turn < 7; turn += 1) {
      turns.push(await house.submitChat({ conversation, messages: [{ role: 'user', content: `question ${turn}` }] }));
    }
    for (const { _id } of turns) expect((await ended(_id)).status).toBe('completed');
    const all = Array.from({ length: 7 }, (_, turn) => [`question ${turn}`, `answer ${turn}`]).flat();
    expect(contexts).toEqual(Array.from({ length: 7 }, (_, turn) => all.slice(0, turn * 2).slice(-10)));
    const written = await house.db.conversations.lastMessages(conversation, 100);
    expect(written.map(({ content }) => content)).toEqual(all);
  });

  test('a turn that failed leaves nothing in it and does not hold up the next', async () => {
    const { _id: conversation } = await house.db.conversations.create(ACCOUNT);
    house.startWorker(async ({ job }) => {
      if (job.turn === 0) throw new LlmServiceError('no', { code: 'LLM_ENGINE_REJECTED' });
      return answer('yes');
    });
    const first = await house.submitChat({ conversation });
    const second = await house.submitChat({ conversation });
    expect((await ended(first._id)).status).toBe('failed');
    expect((await ended(second._id)).status).toBe('completed');
    expect(await house.db.conversations.lastMessages(conversation, 10)).toHaveLength(2);
  });

  test('a worker that died before it wrote the messages is made up for, once', async () => {
    const { _id: conversation } = await house.db.conversations.create(ACCOUNT);
    const { _id } = await house.submitChat({ conversation });
    await house.db.jobs.claim(_id, { worker: 'dead', leaseMs: 5_000 });
    const result = { text: 'answered', finishReason: 'stop' as const };
    await house.db.jobs.finish(_id, 1, { status: 'completed', finishedAt: new Date(), result, messagesPending: true });
    for (let sweep = 0; sweep < 2; sweep += 1) await house.reconciler.sweep(new AbortController().signal);
    const written = await house.db.conversations.lastMessages(conversation, 10);
    expect(written.map(({ content }) => content)).toEqual(['hi', 'answered']);
  });
});
