import { openBlobStore } from '@aigolos/blob-store';
import { openDatabase } from '@aigolos/db';
import {
  createCancelSender,
  createLiveStreams,
  createProducer,
  createQueueInspection,
  createReadCache,
} from '@aigolos/queue';
import type { Closer, Logger, Registry } from '@aigolos/runtime';
import type { Config } from './config.ts';

export type Stores = Awaited<ReturnType<typeof openStores>>;

/** Opens all that holds data, and hands to the closer what is to be closed. */
export async function openStores(
  config: Config,
  { closer, metrics, log }: { closer: Closer; metrics: Registry; log: Logger },
) {
  const db = await openDatabase(config.MONGO_URL);
  closer.add(() => db.close());
  await db.prepare();
  const live = await createLiveStreams(config, log);
  closer.add(() => live.close());
  const producer = await createProducer(config, log);
  closer.add(() => producer.close());
  const cancels = createCancelSender(config, log);
  closer.add(() => cancels.close());
  const cache = await createReadCache(config, log, metrics);
  closer.add(() => cache.close());
  const queues = createQueueInspection(producer);
  return { db, blobs: openBlobStore(config), live, producer, queues, cancels, cache, log };
}
