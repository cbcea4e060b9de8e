import { BUCKETS, type BucketWidth, ValidationError } from '@aigolos/contracts';
import type { Database, UsageField, UsageFilter, UsageSum } from '@aigolos/db';

/** Which part of a time is shown, as a query says it. */
export interface UsageWindow {
  start_time?: number | undefined;
  end_time?: number | undefined;
  bucket_width: BucketWidth;
  limit?: number | undefined;
  page?: string | undefined;
}

export interface UsageBuckets<Result> {
  object: 'page';
  data: { object: 'bucket'; start_time: number; end_time: number; results: Result[] }[];
  has_more: boolean;
  next_page: string | null;
}

export interface UsageQuestion<Result> {
  window: UsageWindow;
  filter: Omit<UsageFilter, 'from' | 'to'>;
  by: readonly UsageField[];
  toResult: (sum: UsageSum) => Result;
}

/** A page of buckets of equal width, those without usage too. @throws ValidationError of more buckets than there are at most. */
export async function usageBuckets<Result>(
  usage: Pick<Database['usage'], 'sums'>,
  { window, filter, by, toResult }: UsageQuestion<Result>,
): Promise<UsageBuckets<Result>> {
  const { seconds, usual, most } = BUCKETS[window.bucket_width];
  const { limit = usual } = window;
  if (limit > most) {
    throw new ValidationError(`limit must be at most ${most} with bucket_width ${window.bucket_width}, not ${limit}`, {
      param: 'limit',
    });
  }
  const end = window.end_time ?? Math.floor(Date.now() / 1_000) + 1;
  const from = floorTo(seconds, startOf(window, end - (limit - 1) * seconds));
  const last = Math.max(from, Math.min(from + limit * seconds, Math.ceil(end / seconds) * seconds));
  const found = from < end ? await usage.sums({ ...filter, from, to: Math.min(end, last) }, { seconds, by }) : [];
  const results = Map.groupBy(found, ({ start }) => start);
  const data = Array.from({ length: (last - from) / seconds }, (_, index) => {
    const start = from + index * seconds;
    const ofBucket = (results.get(start) ?? []).map(toResult);
    return { object: 'bucket' as const, start_time: start, end_time: start + seconds, results: ofBucket };
  });
  const hasMore = last < end;
  return { object: 'page', data, has_more: hasMore, next_page: hasMore ? `page_${last}` : null };
}

function startOf({ page, start_time: start }: UsageWindow, otherwise: number): number {
  return page === undefined ? (start ?? Math.max(0, otherwise)) : Number(page.slice('page_'.length));
}

function floorTo(seconds: number, time: number): number {
  return Math.floor(time / seconds) * seconds;
}

/** What a query names once or several times, with brackets or without; undefined where it does not. */
export function listOf<Item extends string>(...given: (Item | Item[] | undefined)[]): Item[] | undefined {
  const items = given.flatMap((one) => (Array.isArray(one) ? one : one === undefined ? [] : [one]));
  return items.length === 0 ? undefined : items;
}
