/** What comes, a few at a time. */
export async function* batchesOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    if (batch.push(item) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const AT_ONCE = 8;

/**
 * Does something to all that comes, a few at once, and gives what was answered, without `undefined`. What fails does not keep
 * the others from it, unless all of a few do: then a store is away. Ends between two such few when the signal aborts.
 * @throws the first error, once the rest is done; the signal's reason.
 */
export async function* forEachAtOnce<T, R>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
  act: (item: T) => Promise<R | undefined>,
): AsyncGenerator<R> {
  let failed: PromiseRejectedResult | undefined;
  for await (const batch of batchesOf(items, AT_ONCE)) {
    signal.throwIfAborted();
    const outcomes = await Promise.allSettled(batch.map(act));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') failed ??= outcome;
      else if (outcome.value !== undefined) yield outcome.value;
    }
    if (failed && outcomes.every(({ status }) => status === 'rejected')) break;
  }
  if (failed) throw failed.reason;
}
