import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { newJobRecord } from '@aigolos/db';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type BatchRun, type RunLinesDeps, runLines } from './run-lines.ts';

async function inputOf(ids: string[]): Promise<BatchRun['input']> {
  const folder = await mkdtemp(join(tmpdir(), 'aigolos-lines-'));
  const lines = ids.map((id) => JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/x', body: { id } }));
  await writeFile(join(folder, 'in.jsonl'), lines.join('\n'));
  const input = await open(join(folder, 'in.jsonl'));
  onTestFinished(async () => {
    await input.close();
    await rm(folder, { recursive: true });
  });
  return input;
}

const chat = (_id: string, status: 'queued' | 'completed' | 'expired') =>
  newJobRecord<'chat'>({
    _id,
    kind: 'chat',
    account: 'acc_1',
    status,
    task: { model: 'test-llm', messages: [], stop: [] },
    ...(status === 'completed' && { result: { text: 'done', finishReason: 'stop' } }),
  });

/** @param told gets the lines whose outcome is written. */
async function batchOf(ids: string[], told: string[]): Promise<Omit<BatchRun, 'submit' | 'signal'>> {
  return {
    job: newJobRecord<'batch'>({
      _id: 'batch_1',
      kind: 'batch',
      account: 'acc_1',
      task: { endpoint: '/v1/x', inputFile: 'file_1', completionWindow: '24h', windowEndsAt: Date.now() + 60_000 },
    }),
    input: await inputOf(ids),
    output: {
      isDone: () => false,
      add: async ({ customId }) => void told.push(customId),
    } as Partial<BatchRun['output']> as BatchRun['output'],
    owner: { madeBy: { job: 'batch_1', fence: 1 }, expiry: undefined },
    onProgress: () => {},
  };
}

test('when the lines are stopped, what is still submitted of one is over before anybody else looks at it', async () => {
  const submitting = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  const stopping = new AbortController();
  const told: string[] = [];
  const jobs: Partial<RunLinesDeps['jobs']> = {
    waitForEnd: async (_account, id, { signal }) => {
      if (id === 'cht_done') return chat(id, 'completed');
      waiting.resolve();
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      return chat(id, 'queued');
    },
  };
  const running = runLines({ jobs, linesAtOnce: 2 } as RunLinesDeps, {
    ...(await batchOf(['is submitted', 'waits', 'never'], told)),
    async submit({ body: { id } }) {
      if (id === 'waits') return { job: chat('cht_waits', 'queued'), replayed: false };
      await submitting.promise;
      return { job: chat('cht_done', 'completed'), replayed: false };
    },
    signal: stopping.signal,
  });
  const toldAtEnd = running.catch(() => [...told]);
  await waiting.promise;
  stopping.abort(new Error('stopped'));
  await nextTurn();
  submitting.resolve();
  await expect(running).rejects.toThrow('stopped');
  expect(await toldAtEnd).toEqual(['is submitted']);
  expect(told).toEqual(['is submitted']);
});

test('a line whose time is over a moment before that of its batch is left to the end of that', async () => {
  const window = new AbortController();
  const told: string[] = [];
  const waitForEnd = async (_account: string, id: string) => chat(id, id === 'cht_a' ? 'completed' : 'expired');
  const running = runLines({ jobs: { waitForEnd }, linesAtOnce: 2 } as Partial<RunLinesDeps> as RunLinesDeps, {
    ...(await batchOf(['a', 'b'], told)),
    submit: async ({ body: { id } }) => ({ job: chat(`cht_${String(id)}`, 'queued'), replayed: false }),
    signal: window.signal,
  });
  await vi.waitFor(() => expect(told).toEqual(['a']));
  window.abort(new Error('the window ends'));
  await expect(running).rejects.toThrow('the window ends');
  expect(told).toEqual(['a']);
});
