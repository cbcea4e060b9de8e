import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './faults/schedule.ts';
import type { Operation } from './load/operations.ts';

export interface Conduct {
  load: readonly Operation[];
  faults: readonly Fault[];
  run(operation: Operation): Promise<void>;
  inject(fault: Fault): Promise<void>;
}

/** What a machine cannot take is submitted later, not on top. */
const OPERATIONS_AT_ONCE = 60;
const FAULTS_AT_ONCE = 3;

/**
 * Begins operations and faults in the order and at the distances of their schedule. Where a machine is slower than that, the
 * whole schedule is moved, so that faults fall among the same operations everywhere.
 * @returns what is still under way when the last one has begun.
 */
export async function conduct({ load, faults, run, inject }: Conduct): Promise<Promise<void>[]> {
  const begun = Date.now();
  const operations = new Set<Promise<void>>();
  const injections = new Set<Promise<void>>();
  const begin = async (under: Set<Promise<void>>, most: number, work: () => Promise<void>) => {
    while (under.size >= most) await Promise.race(under);
    const done: Promise<void> = work().finally(() => under.delete(done));
    under.add(done);
  };
  let lateMs = 0;
  const all = [
    ...load.map((operation) => ({
      atMs: operation.atMs,
      begin: () => begin(operations, OPERATIONS_AT_ONCE, () => run(operation)),
    })),
    ...faults.map((fault) => ({
      atMs: fault.atMs,
      begin: () => begin(injections, FAULTS_AT_ONCE, () => inject(fault)),
    })),
  ].toSorted((a, b) => a.atMs - b.atMs);
  for (const next of all) {
    await sleep(Math.max(0, begun + next.atMs + lateMs - Date.now()));
    await next.begin();
    lateMs = Math.max(lateMs, Date.now() - begun - next.atMs);
  }
  return [...operations, ...injections];
}
