export { type Database, openDatabase } from './database.ts';
export { isDatabaseUnavailable, isDuplicateKey } from './errors.ts';
export { API_KEY_ROLES, type ApiKeyRecord, type ApiKeyRole } from './models/access.model.ts';
export type { ConversationRecord, MessageRecord } from './models/conversation.model.ts';
export { type AnyJobRecord, type JobRecord, newJobRecord } from './models/job.model.ts';
export { ensureReplicaSet } from './replica-set.ts';
export type { Claim, EndedJob, JobEnding, JobExpiry, JobsRepository } from './repositories/jobs.repository.ts';
export type { Change } from './watcher.ts';
