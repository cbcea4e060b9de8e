import type { Describes } from './places.ts';

/** A request in one place of which something stands that is not right. */
export interface HostileRequest {
  /** Where it stands. */
  place: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Buffer;
}

/** What the requests of a description need to find, so that what is wrong is all that is. */
export interface Prepared {
  /** The value of a path's parameter, by the path up to it: `/v1/files/{id}`. */
  ids: Record<string, string>;
  /** Of fields, by their names. */
  known: Describes['known'];
  audio: Buffer;
}

/** Nobody answers these requests, so none is to be waited for. */
export const NOW = { prefer: 'respond-async' };

/** So many of these for a place: the next ones each time, so that all are tried, and at each place some. */
export type Choose = <Item>(items: readonly Item[], count: number) => readonly Item[];

export type Route = HostileRequest & { template: string; pick: Choose };
