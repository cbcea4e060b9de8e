import { newJobRecord } from '@aigolos/db';
import { expect, test } from 'vitest';
import { toJobView } from './job-view.ts';

const task = { model: 'test', messages: [], stop: [] };
const job = newJobRecord({ _id: 'cht_1', kind: 'chat', account: 'acc_1', task });

test('a job in line tells its place and when it will begin, in Unix seconds; others tell neither', () => {
  const now = Date.now() / 1_000;
  const { queue_position, estimated_start_at } = toJobView(job, { ahead: 3, startsInMs: 90_000 });
  expect(queue_position).toBe(3);
  expect(Math.abs((estimated_start_at ?? 0) - now - 90)).toBeLessThan(2);
  expect(toJobView(job, { ahead: 0, startsInMs: undefined })).toMatchObject({
    queue_position: 0,
    estimated_start_at: null,
  });
  expect(toJobView(job)).toMatchObject({ queue_position: null, estimated_start_at: null });
});
