import type { BatchCheckpoint } from '@aigolos/contracts';
import { expect, test } from 'vitest';
import { createBatchOutput } from './batch-output.ts';

const state = (): BatchCheckpoint => ({
  version: 1,
  counts: { total: 2, completed: 0, failed: 0 },
  done: [],
  pieces: [],
  usage: {},
});
const answer = { response: { status_code: 200, request_id: 'cht_1', body: {} }, error: null, usage: {} };

test('after a piece that could not be written nothing is kept: no record says that its lines are done', async () => {
  const kept: BatchCheckpoint[] = [];
  let isAway = true;
  const output = createBatchOutput({
    job: { _id: 'batch_1', fence: 1 },
    state: state(),
    blobs: {
      read: () => Promise.reject(new Error('not read here')),
      receive: () => Promise.resolve({ path: '', bytes: 0, sha256: '' }),
      commit: () => (isAway ? Promise.reject(new Error('the store is away')) : Promise.resolve()),
    },
    keep: (news) => Promise.resolve(void kept.push(news)),
  });
  await output.add({ number: 1, customId: 'a' }, answer);
  await expect(output.flush()).rejects.toThrow('away');
  isAway = false;
  await output.add({ number: 2, customId: 'b' }, answer);
  await expect(output.flush()).rejects.toThrow('away');
  expect(kept).toEqual([]);
});
