export type { Change, Reaction } from './changes.ts';
export { type Database, openDatabase } from './database.ts';
export { isDatabaseUnavailable, isDuplicateKey } from './errors.ts';
export type { AccountRecord, ApiKeyRecord } from './models/access.model.ts';
export type { ConversationRecord, MessageRecord } from './models/conversation.model.ts';
export type { FileRecord } from './models/file.model.ts';
export {
  type AnyJobRecord,
  type AttemptRecord,
  type JobRecord,
  type JobSummary,
  newJobRecord,
  type StoredFiles,
} from './models/job.model.ts';
export type { UploadPartRecord, UploadRecord } from './models/upload.model.ts';
export type { Reservation, UsageRecord } from './models/usage.model.ts';
export {
  type DeliveryAttempt,
  type DeliveryStatus,
  type EndpointStatus,
  type WebhookDeliveryRecord,
  type WebhookEndpointRecord,
  type WebhookSecrets,
} from './models/webhook.model.ts';
export type { OwnedRecords } from './owned-records.ts';
export { ensureReplicaSet } from './replica-set.ts';
export type { KeyHolder } from './repositories/api-keys.repository.ts';
export type { IdleConversation } from './repositories/conversation-removal.repository.ts';
export type { ErasureItem, ErasuresRepository, PostponedItem } from './repositories/erasures.repository.ts';
export type { FilesRepository, RemovableFile } from './repositories/files.repository.ts';
export type { ListedJob, SuspectJob } from './repositories/inspection.repository.ts';
export type { Claim, JobEnding, JobExpiry, Release, StepEnd } from './repositories/job-claims.repository.ts';
export type { JobNewsFields } from './repositories/job-reading.repository.ts';
export type { EndedJob, JobWithFiles, RunningJob } from './repositories/job-removal.repository.ts';
export type { OverdueJob, UnmeteredJob, WaitingJob } from './repositories/job-sweeps.repository.ts';
export type { JobsRepository } from './repositories/jobs.repository.ts';
export type { QuotaRefusal, QuotaState, QuotasRepository } from './repositories/quotas.repository.ts';
export type { TaskRunsRepository } from './repositories/task-runs.repository.ts';
export type {
  ConversationPlace,
  TransferRepository,
  TransferredKind,
  TransferredRecords,
} from './repositories/transfer.repository.ts';
export type { UploadsRepository } from './repositories/uploads.repository.ts';
export type { UsageField, UsageFilter, UsageRepository, UsageSum } from './repositories/usage.repository.ts';
export type { DeliveryOutcome } from './repositories/webhook-deliveries.repository.ts';
export type { WebhooksRepository } from './repositories/webhooks.repository.ts';
export type { WatchObserver } from './watcher.ts';
