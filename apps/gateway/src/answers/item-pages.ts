import type { ItemPageQuery } from '@aigolos/contracts';
import { NotFoundError } from '@aigolos/contracts';

/** A page of a list; where nothing is on it, `None` stands for its first and its last. */
export interface Page<Item, None extends string | null = ''> {
  object: 'list';
  data: Item[];
  first_id: string | None;
  last_id: string | None;
  has_more: boolean;
}

/** A page of a list of our own. */
export function pageOf<Item extends { id: string }>(data: Item[], hasMore: boolean): Page<Item, null> {
  const [first, last] = [data[0]?.id ?? null, data.at(-1)?.id ?? null];
  return { object: 'list', data, first_id: first, last_id: last, has_more: hasMore };
}

/** A page of a list of OpenAI's, whose schemas have a text for both always; its clients read an absent one as an empty one. */
export function openAIPageOf<Item extends { id: string }>(data: Item[], hasMore: boolean): Page<Item> {
  const { first_id, last_id, ...page } = pageOf(data, hasMore);
  return { ...page, first_id: first_id ?? '', last_id: last_id ?? '' };
}

/** A page of a list that is there as a whole, oldest first. @throws NotFoundError where `after` is not in it. */
export function pageIn<Item extends { id: string }>(items: Item[], { limit, after, order }: ItemPageQuery): Page<Item> {
  const ordered = order === 'desc' ? items.toReversed() : items;
  const start = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0) {
    throw new NotFoundError(`There is no item ${after} in this list.`, { code: 'ITEM_NOT_FOUND', param: 'after' });
  }
  return openAIPageOf(ordered.slice(start, start + limit), ordered.length > start + limit);
}
