import { jobOfSeconds, type Operation, plainText } from '../load/operations.ts';
import type { Random } from '../random.ts';
import { type Fault, killOf, WORKERS } from './schedule.ts';

/** What runs to be cancelled, in rounds that find a free slot at once. */
const ROUNDS = 3;
const ROUND_EVERY_MS = 6_000;
const OF_A_KIND = 4;
/** Late enough that a job runs, and early enough that most of it is still to be done. */
const CANCEL_AFTER_MS = 1_000;
const JOB_SECONDS = 4;
/** The lease of a killed worker runs out, and its jobs are done again. */
const RESTARTS_MS = 30_000;
const SUBMISSION_EVERY_MS = 400;

/**
 * When the storm is over, one thing at a time, so that times of recovery are of that thing alone: cancels of what runs, one
 * killed worker of each kind, and an outage of Redis during which jobs are submitted.
 */
export function planAftermath(random: Random, { outageMs }: { outageMs: number }) {
  const cancels = Array.from({ length: ROUNDS * OF_A_KIND }, (_, count) =>
    WORKERS.map((worker): Operation => {
      const base = {
        id: `${worker}cancel${count}`,
        atMs: Math.floor(count / OF_A_KIND) * ROUND_EVERY_MS,
        manner: 'async' as const,
        hasKey: true,
        cancelAfterMs: CANCEL_AFTER_MS,
      };
      return jobOfSeconds(worker, JOB_SECONDS, base, random);
    }),
  ).flat();
  const killsAtMs = ROUNDS * ROUND_EVERY_MS;
  const kills = WORKERS.map((worker) => killOf(worker, random, { id: `aftermath-${worker}`, atMs: killsAtMs }));
  const outageAtMs = killsAtMs + RESTARTS_MS;
  const outage: Fault = {
    id: 'aftermath-redis',
    name: 'redis_outage',
    atMs: outageAtMs,
    durationMs: outageMs,
    baits: [],
  };
  const submissions = Array.from({ length: Math.floor(outageMs / SUBMISSION_EVERY_MS) }, (_, count): Operation => {
    const id = `outage${count}`;
    const base = { id, atMs: outageAtMs + count * SUBMISSION_EVERY_MS, manner: 'async' as const, hasKey: true };
    return { ...base, kind: 'chat', text: `${id}: ${plainText(random, 30)}` };
  });
  return { load: [...cancels, ...submissions], faults: [...kills, outage] };
}
