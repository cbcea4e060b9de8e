import { CLEANUP_KINDS, type CleanupKind, type JobKind, TRANSCRIPT_KINDS } from '@aigolos/contracts';
import type { EndedJob, IdleConversation, RemovableFile } from '@aigolos/db';
import { batchesOf, forEachAtOnce } from './batches.ts';
import { filesOf, isIdle, removeEndedJob, removeIdleConversation } from './due-removal.ts';
import { removeFile } from './file-removal.ts';
import type { RemovalDeps } from './removal.ts';

const JOB_KINDS_OF: Record<Exclude<CleanupKind, 'conversations' | 'files'>, readonly JobKind[]> = {
  transcriptions: TRANSCRIPT_KINDS,
  syntheses: ['speech'],
  chats: ['chat'],
  responses: ['response'],
  'voice-turns': ['voice-turn'],
  batches: ['batch'],
  exports: ['export'],
};

export interface CleanupSelection {
  /** Jobs that ended, conversations in which nothing was said, and files that came, before then. Fixed at the start. */
  before: Date;
  /** Of this account alone. */
  account?: string | undefined;
  kinds: readonly CleanupKind[];
}

/** Something that is, or was, removed with all that belongs to it. */
export interface CleanupItem {
  kind: JobKind | 'conversation' | 'uploaded_file';
  id: string;
  account: string;
  createdAt: Date;
  bytes: number;
  files: number;
  /** Of a conversation. */
  messages?: number;
}

type Candidate =
  | { kind: JobKind; job: EndedJob }
  | { kind: 'conversation'; conversation: IdleConversation }
  | { kind: 'uploaded_file'; file: RemovableFile };

const COUNTED_AT_ONCE = 500;

/**
 * What a cleanup would remove now, one after another. Jobs that have not ended, and conversations with such a job, are not
 * among it.
 */
export function planCleanup(
  deps: RemovalDeps,
  selection: CleanupSelection,
  signal: AbortSignal,
): AsyncGenerator<CleanupItem> {
  return forEachAtOnce(candidates(deps, selection), signal, (candidate) => itemOf(deps, candidate));
}

/** How many a cleanup would remove now, quicker than its plan. */
export async function countCleanup(
  deps: RemovalDeps,
  selection: CleanupSelection,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for await (const batch of batchesOf(candidates(deps, selection), COUNTED_AT_ONCE)) {
    signal.throwIfAborted();
    count += batch.length;
  }
  return count;
}

/**
 * Removes what {@link planCleanup} tells, and tells each that it has removed. Where several run at once each is told by one of
 * them. It can be interrupted: what it has begun is done and told then.
 * @throws the signal's reason; UnavailableError where something could not be removed, after what could is told.
 */
export function cleanUp(
  deps: RemovalDeps,
  selection: CleanupSelection,
  signal: AbortSignal,
): AsyncGenerator<CleanupItem> {
  return forEachAtOnce(candidates(deps, selection), signal, (candidate) => remove(deps, candidate));
}

async function* candidates(deps: RemovalDeps, { before, account, kinds }: CleanupSelection): AsyncGenerator<Candidate> {
  for (const cleanupKind of CLEANUP_KINDS.filter((kind) => kinds.includes(kind))) {
    if (cleanupKind === 'conversations') {
      for await (const conversation of deps.db.conversations.idle({ idleSince: before, account })) {
        if (await isIdle(deps, conversation)) yield { kind: 'conversation', conversation };
      }
    } else if (cleanupKind === 'files') {
      for await (const file of deps.db.files.createdBefore({ createdBefore: before, account })) {
        yield { kind: 'uploaded_file', file };
      }
    } else {
      for (const kind of JOB_KINDS_OF[cleanupKind]) {
        for await (const job of deps.db.jobs.ended({ kind, endedBefore: before, account })) yield { kind, job };
      }
    }
  }
}

async function itemOf(deps: RemovalDeps, candidate: Candidate): Promise<CleanupItem> {
  if (candidate.kind === 'conversation') return conversationItem(candidate.conversation);
  if (candidate.kind === 'uploaded_file') return fileItem(candidate.file);
  const { kind, job } = candidate;
  return { kind, id: job._id, account: job.account, createdAt: job.createdAt, ...(await filesOf(deps, job)) };
}

async function remove(deps: RemovalDeps, candidate: Candidate): Promise<CleanupItem | undefined> {
  if (candidate.kind === 'conversation') {
    const { conversation } = candidate;
    return (await removeIdleConversation(deps, conversation)) ? conversationItem(conversation) : undefined;
  }
  if (candidate.kind === 'uploaded_file') {
    return (await removeFile(deps, candidate.file)) ? fileItem(candidate.file) : undefined;
  }
  const { kind, job } = candidate;
  const files = await removeEndedJob(deps, job);
  return files && { kind, id: job._id, account: job.account, createdAt: job.createdAt, ...files };
}

/** What was said in it is records; it has no files of its own. */
function conversationItem({ _id: id, account, createdAt, messageCount }: IdleConversation): CleanupItem {
  return { kind: 'conversation', id, account, createdAt, bytes: 0, files: 0, messages: messageCount };
}

function fileItem({ _id: id, account, createdAt, bytes }: RemovableFile): CleanupItem {
  return { kind: 'uploaded_file', id, account, createdAt, bytes, files: 1 };
}
