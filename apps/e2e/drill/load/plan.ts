import type { Random } from '../random.ts';
import { anyOperation, conversationOperations, type Operation } from './operations.ts';

/** A third of the jobs are turns of conversations. */
const PART_IN_CONVERSATIONS = 1 / 3;
const TURNS = { least: 3, most: 9 };

/** So many operations, spread over a time; the same random source gives the same ones. */
export function planLoad(random: Random, { jobs, durationMs }: { jobs: number; durationMs: number }): Operation[] {
  const operations: Operation[] = [];
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
