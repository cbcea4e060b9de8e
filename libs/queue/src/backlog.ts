/** What waits in a queue. */
export interface Backlog {
  /** In the measure of the queue's work: seconds of audio, characters, tokens. */
  amount: number;
  jobs: number;
  /** A job ends every so many ms, going by how long they took lately; undefined where no worker is there, or none has ended one. */
  msPerJob: number | undefined;
}

export function backlogFrom([amount, jobs, ms, slots]: readonly [number, number, string, number]): Backlog {
  const msPerJob = slots === 0 || ms === '' ? undefined : Number(ms) / slots;
  return { amount: Math.max(0, amount), jobs, msPerJob };
}

const MOST_SECONDS = 60;
/** Where nobody knows how quickly the queue moves. */
const UNKNOWN_SECONDS = 30;

/** When less than `limit` is likely to wait, in whole seconds from 1 to 60, taking all jobs as equally large. */
export function secondsUntilBelow({ amount, jobs, msPerJob }: Backlog, limit: number): number {
  if (msPerJob === undefined || jobs === 0) return UNKNOWN_SECONDS;
  const ends = Math.floor((amount - limit) / (amount / jobs)) + 1;
  return Math.min(MOST_SECONDS, Math.max(1, Math.ceil((ends * msPerJob) / 1_000)));
}
