import { setTimeout as sleep } from 'node:timers/promises';
import { heldBytes } from './process-watch.ts';

/** How much more memory the process takes after `work` than before, native memory too. */
export async function residentGrowthBytes(work: () => Promise<unknown>): Promise<number> {
  const before = await settledResidentBytes();
  await work();
  return (await settledResidentBytes()) - before;
}

/** The least of some readings after a garbage collection: the system gets memory back with a delay. */
async function settledResidentBytes(): Promise<number> {
  const readings: number[] = [];
  for (let reading = 0; reading < 5; reading++) {
    heldBytes();
    await sleep(20);
    readings.push(process.memoryUsage.rss());
  }
  return Math.min(...readings);
}

/** The time until `work` ends, however it ends. */
export async function elapsedMs(work: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work.catch(() => {});
  return performance.now() - begun;
}
