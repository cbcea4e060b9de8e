import type { Random } from '../random.ts';
import { batchOperation } from './batches.ts';
import { conversationOperations } from './conversations.ts';
import type { Operation } from './operations.ts';
import { anyOperation } from './singles.ts';

/** A third of the jobs are turns of conversations. */
const PART_IN_CONVERSATIONS = 1 / 3;
const TURNS = { least: 3, most: 9 };

/** Their lines are jobs beside those that were asked for: a few batches are much work. */
const JOBS_PER_BATCH = 30;
const LEAST_BATCHES = 2;
/** Of so many one is cancelled, the second first. */
const BATCHES_PER_CANCEL = 2;

/** So many operations, spread over a time; the same random source gives the same ones. */
export function planLoad(random: Random, { jobs, durationMs }: { jobs: number; durationMs: number }): Operation[] {
  const batches = Math.max(LEAST_BATCHES, Math.floor(jobs / JOBS_PER_BATCH));
  const operations: Operation[] = Array.from({ length: batches }, (_, count) => {
    const isCancelled = count % BATCHES_PER_CANCEL === BATCHES_PER_CANCEL - 1;
    const atMs = random.between(0, Math.floor(durationMs * 0.85));
    return batchOperation(random, { id: `batch${count}`, atMs, isCancelled });
  });
  for (let count = 0; operations.length < jobs * PART_IN_CONVERSATIONS; count += 1) {
    const turns = Math.min(random.between(TURNS.least, TURNS.most), jobs - operations.length);
    const atMs = random.between(0, Math.floor(durationMs * 0.85));
    operations.push(...conversationOperations(random, { name: `conversation${count}`, atMs, turns }));
  }
  for (let count = 0; operations.length < jobs; count += 1) {
    operations.push(anyOperation(random, { id: `single${count}`, atMs: random.between(0, durationMs) }));
  }
  return operations.toSorted((a, b) => a.atMs - b.atMs);
}
