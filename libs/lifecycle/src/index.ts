export { type ArchiveSource } from './archive/archive-source.ts';
export { openArchives } from './archive/open-archives.ts';
export { ARCHIVE_SUFFIX } from './archive/tar-format.ts';
export { type BackupOptions, backUp } from './backup/backup.ts';
export { pruneBackups } from './backup/slots.ts';
export {
  type CleanupItem,
  type CleanupSelection,
  cleanUp,
  countCleanup,
  planCleanup,
} from './cleanup.ts';
export { type ConsistencyDeps, INCONSISTENCY_KINDS, type Inconsistency } from './consistency/check.ts';
export { createConsistencySweep, findInconsistencies } from './consistency/consistency.ts';
export { createEraser, type ErasureDeps } from './erasure.ts';
export { type ErasablePart, planErasure } from './erasure-plan.ts';
export { type ErasureTerms, findOpenErasure, requestErasure } from './erasure-request.ts';
export { exportToArchive, exportToDirectory } from './export/export-archive.ts';
export { exportToFolder } from './export/export-folder.ts';
export type { ExportDeps } from './export/snapshot.ts';
export type { ExportSummary, OnProgress } from './export/summary.ts';
export { removeFile } from './file-removal.ts';
export { type ImportOptions, type ImportSummary, importArchives } from './import/import-archives.ts';
export type { ImportDeps, Tally } from './import/plan.ts';
export { createReactions, type ReactionDeps } from './reactions.ts';
export { receiptKeys, verifyReceipt } from './receipt.ts';
export { type RemovalDeps, removeAccount } from './removal.ts';
export { expire } from './retention.ts';
export { countUsage, forgetUsage } from './usage.ts';
export { rotatedSecrets } from './webhook-secrets.ts';
export {
  announceJobEnds,
  announcePending,
  announceTest,
  replayDelivery,
  replaySince,
  resumeDeliveries,
  type WebhookDeps,
} from './webhooks.ts';
