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

/** Does something to all of a few at once: what was answered, without `undefined`, and the first that failed. */
export async function settleAll<T, R>(
  items: T[],
  act: (item: T) => Promise<R | undefined>,
): Promise<{ done: R[]; failed: PromiseRejectedResult | undefined }> {
  const outcomes = await Promise.allSettled(items.map(act));
  const done = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' && outcome.value !== undefined ? [outcome.value] : [],
  );
  return { done, failed: outcomes.find((outcome) => outcome.status === 'rejected') };
}
