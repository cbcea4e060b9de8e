export { type CancelReceiver, type CancelSender, createCancelReceiver, createCancelSender } from './cancel-bus.ts';
export type { RedisConfig } from './connection.ts';
export { createLiveStreams, type LiveStreams } from './live.ts';
export { createProducer, type JobReference, type Producer } from './producer.ts';
export { cacheScope, createReadCache, type ReadCache } from './read-cache.ts';
export { type Schedule, startSchedule } from './schedule.ts';
export { createQueueWorker, type Handled, type QueueWorker } from './worker.ts';
