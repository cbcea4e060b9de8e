export { deleteExpiredJobs } from './cleanup.ts';
export { createEraser, type ErasureDeps } from './erasure.ts';
export { createOrphanSweep, type OrphanSweep } from './orphans.ts';
export { createReactions, type ReactionDeps } from './reactions.ts';
export { receiptKeys, verifyReceipt } from './receipt.ts';
export { type RemovalDeps, removeAccount, removeConversation, removeJobData } from './removal.ts';
