export { type CancelReceiver, type CancelSender, createCancelReceiver, createCancelSender } from './cancel-bus.ts';
export type { RedisConfig } from './connection.ts';
export { createQueueInspection, type QueueEntry, type QueueInspection, type QueuePlace } from './inspection.ts';
export { createLiveStreams, type LiveStreams } from './live.ts';
export type { Place } from './pace.ts';
export { createProducer, type JobReference, type Producer, type QueuedJob } from './producer.ts';
export { cacheScope, createReadCache, type ReadCache } from './read-cache.ts';
export { type Schedule, startSchedule } from './schedule.ts';
export { createQueueWorker, type Handled, type QueueWorker } from './worker.ts';
