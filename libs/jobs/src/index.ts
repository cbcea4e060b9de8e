export { createJobs, type JobNews, type Jobs } from './jobs.ts';
export type { JobContext, Processed, Processor, Processors } from './processor.ts';
export { createReconciler, type Reconciler } from './reconciler.ts';
export { contentKeyOf, fingerprintOf, type RequestAsked } from './request-fingerprint.ts';
export { type RetryDeps, retryJob } from './retry.ts';
export { createJobRunner, type JobRunner } from './runner.ts';
export type { Submission, Submitted, SubmittedContent, SubmittedOnce } from './submission.ts';
export { type ConversationReader, conversationContext } from './turns.ts';
export { createWorker, type WorkerConfig } from './worker.ts';
