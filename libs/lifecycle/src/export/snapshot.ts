import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobEntry, BlobStore } from '@aigolos/blob-store';
import { AIGolosError, isFinal, JOB_KINDS, NotFoundError } from '@aigolos/contracts';
import type { AccountRecord, AnyJobRecord, Database } from '@aigolos/db';
import { z } from 'zod';
import {
  DOCUMENT_KINDS,
  DOCUMENTS_OF_JOBS,
  type DocumentKind,
  type RecordOfDocument,
  toDocument,
} from '../archive/documents.ts';
import { writeJsonLines } from '../archive/json-lines.ts';
import { type ArchivedFile, inArchiveOrder, pathOfBlob, pathOfDocuments } from '../archive/manifest.ts';

export interface ExportDeps {
  db: Pick<Database, 'transfer'>;
  blobs: Pick<BlobStore, 'list' | 'read' | 'exists'>;
}

/** An account's documents as they were, on local disk, and the files that belonged to them. */
export interface Snapshot {
  account: AccountRecord;
  documents: ArchivedFile[];
  counts: Record<DocumentKind, number>;
  /** In the order of their paths in an archive. */
  blobs: BlobEntry[];
  /** Jobs that had not ended, or that only a later version understands: they are left out. */
  unfinished: number;
}

const LISTED_AT_ONCE = 16;
const WITHOUT_FILES: ReadonlySet<DocumentKind> = new Set(['chats', 'responses', 'batches']);

/** @throws NotFoundError */
export async function accountOf({ db }: Pick<ExportDeps, 'db'>, id: string): Promise<AccountRecord> {
  const [account] = await db.transfer.find('account', [id]);
  if (!account) throw new NotFoundError(`There is no account ${id}.`, { code: 'ACCOUNT_NOT_FOUND' });
  return account;
}

/** Writes an account's documents into `folder`, page by page. */
export async function takeSnapshot(
  { db: { transfer }, blobs }: ExportDeps,
  { account, folder, signal }: { account: AccountRecord; folder: string; signal: AbortSignal },
): Promise<Snapshot> {
  await mkdir(join(folder, 'documents'), { recursive: true });
  const writers = forEachKind((kind) => writeJsonLines(join(folder, pathOfDocuments(kind))));
  const write = async <Kind extends DocumentKind>(kind: Kind, record: RecordOfDocument[Kind]) => {
    signal.throwIfAborted();
    await writers[kind].write(documentOf(kind, record));
  };
  try {
    const withFiles: string[] = [];
    let unfinished = 0;
    await write('account', account);
    for await (const endpoint of transfer.webhookEndpointsOf(account._id)) await write('webhook-endpoints', endpoint);
    for await (const job of transfer.jobsOf(account._id)) {
      const kind = DOCUMENTS_OF_JOBS[job.kind];
      const isOurs = JOB_KINDS.includes(job.kind);
      if (kind === undefined && isOurs) continue;
      if (kind !== undefined && hasEnded(job)) {
        await write(kind, job as never);
        if (!WITHOUT_FILES.has(kind)) withFiles.push(job._id);
      } else {
        unfinished += 1;
      }
    }
    for await (const file of transfer.filesOf(account._id)) {
      await write('files', file);
      withFiles.push(file._id);
    }
    for await (const conversation of transfer.conversationsOf(account._id)) {
      await write('conversations', conversation);
      for await (const message of transfer.messagesOf(conversation._id)) await write('messages', message);
    }
    const counts = forEachKind(() => 0);
    const documents: ArchivedFile[] = [];
    for (const kind of DOCUMENT_KINDS) {
      const { lines, ...measured } = await writers[kind].close();
      counts[kind] = lines;
      documents.push({ path: pathOfDocuments(kind), ...measured });
    }
    return { account, documents, counts, unfinished, blobs: await listBlobs(blobs, withFiles, signal) };
  } finally {
    for (const writer of Object.values(writers)) writer.destroy();
  }
}

function documentOf<Kind extends DocumentKind>(kind: Kind, record: RecordOfDocument[Kind]): object {
  try {
    return toDocument(kind, record);
  } catch (cause) {
    if (!(cause instanceof z.ZodError)) throw cause;
    const where = cause.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    throw new AIGolosError(`${record._id} is stored in a form that cannot be exported (${where}).`, {
      code: 'EXPORT_FAILED',
      cause,
    });
  }
}

/** A turn whose messages are still to be written has not ended for its conversation. */
function hasEnded(job: AnyJobRecord): boolean {
  return isFinal(job.status) && !job.messagesPending;
}

async function listBlobs(blobs: Pick<BlobStore, 'list'>, records: string[], signal: AbortSignal): Promise<BlobEntry[]> {
  const found: BlobEntry[] = [];
  for (let start = 0; start < records.length; start += LISTED_AT_ONCE) {
    signal.throwIfAborted();
    const some = records.slice(start, start + LISTED_AT_ONCE);
    for (const list of await Promise.all(some.map((id) => Array.fromAsync(blobs.list(id))))) found.push(...list);
  }
  return found.toSorted((a, b) => inArchiveOrder({ path: pathOfBlob(a.key) }, { path: pathOfBlob(b.key) }));
}

function forEachKind<T>(make: (kind: DocumentKind) => T): Record<DocumentKind, T> {
  return Object.fromEntries(DOCUMENT_KINDS.map((kind) => [kind, make(kind)])) as Record<DocumentKind, T>;
}
