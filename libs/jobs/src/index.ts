export { createJobs, type JobNews, type Jobs, type Submission } from './jobs.ts';
export type { JobContext, Processed, Processor } from './processor.ts';
export { createReconciler, type Reconciler } from './reconciler.ts';
export { createJobRunner, type JobRunner } from './runner.ts';
export { type ConversationReader, conversationContext } from './turns.ts';
export { createWorker, type WorkerConfig } from './worker.ts';
