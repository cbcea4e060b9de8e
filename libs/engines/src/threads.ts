import { availableParallelism } from 'node:os';

/**
 * CPU threads for an engine that was not told a number: half of the cores. llama.cpp's threads wait for each other
 * without yielding, so with a thread a core everything else that runs on the machine slows them down tenfold
 * (2 cores, both shared: 1.5 tokens a second with two threads, 11 to 30 with one).
 */
export function defaultThreads(): number {
  return Math.max(1, Math.floor(availableParallelism() / 2));
}
