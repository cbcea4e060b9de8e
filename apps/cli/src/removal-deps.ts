import type { RemovalDeps } from '@aigolos/lifecycle';
import type { Installation } from './open-installation.ts';

/** What a removal needs. Where no Redis is known there is no queue and no live stream of this installation to look after. */
export function removalDeps({ db, blobs, redis, log }: Installation): RemovalDeps {
  const nothing = { remove: () => Promise.resolve() };
  return { db, blobs, log, producer: redis?.producer ?? nothing, live: redis?.live ?? nothing };
}
