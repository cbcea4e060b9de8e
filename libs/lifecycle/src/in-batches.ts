import DataLoader from 'dataloader';

/** Why something could not be done, by the ids of those that it could not be done for. */
export type Failures = Map<string, Error>;

/** Nobody notices so much of a delay, and under load it gathers dozens. */
const GATHER_MS = 5;
const MOST_AT_ONCE = 100;

/**
 * Makes one call for many out of calls for one each that come at about the same time: the database takes a command for a hundred
 * records in little more time than one for a single record. Each caller learns what became of its own.
 */
export function inBatches(act: (ids: readonly string[]) => Promise<Failures>): (id: string) => Promise<void> {
  const loader = new DataLoader<string, undefined>(
    async (ids) => {
      const failures = await act(ids);
      return ids.map((id) => failures.get(id));
    },
    { cache: false, maxBatchSize: MOST_AT_ONCE, batchScheduleFn: (send) => void setTimeout(send, GATHER_MS) },
  );
  return (id) => loader.load(id);
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
