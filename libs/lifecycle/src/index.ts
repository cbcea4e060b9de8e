export { deleteExpiredJobs } from './cleanup.ts';
export { createOrphanSweep, type OrphanSweep } from './orphans.ts';
export { createReactions, type Reaction } from './reactions.ts';
export { type RemovalDeps, removeAccount, removeConversation, removeJobData } from './removal.ts';
