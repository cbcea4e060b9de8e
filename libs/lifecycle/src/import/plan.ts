import type { BlobStore } from '@aigolos/blob-store';
import { ConflictError, NotFoundError } from '@aigolos/contracts';
import type { AccountRecord, Database, TransferredKind } from '@aigolos/db';
import type { ArchiveSource } from '../archive/archive-source.ts';
import { DOCUMENT_KINDS, type DocumentKind } from '../archive/documents.ts';
import { meaningOf } from '../archive/manifest.ts';

export interface ImportDeps {
  db: Pick<Database, 'transfer' | 'access'>;
  blobs: Pick<BlobStore, 'receive' | 'commit' | 'discard' | 'exists'>;
}

/** What an import does, or would do, with what an archive holds. */
export interface Tally {
  /** Not here yet. */
  added: number;
  /** A conversation that is here, but not as far. */
  advanced: number;
  /** Here already, the same. */
  present: number;
  /** Its time has passed, or what it belongs to is gone: it is not brought back. */
  skipped: number;
}

/** Of a record's files: is the audio that was sent, and the audio that was made, to be here? */
export interface WantedFiles {
  input: boolean;
  output: boolean;
}

/** One archive, examined: what may be written, and what of it is left out. */
export interface ImportPlan {
  source: ArchiveSource;
  /** Whose data it becomes. */
  account: Pick<AccountRecord, '_id' | 'username'>;
  /** The account is there already, and stays as it is. */
  accountExists: boolean;
  /** What has expired by this time is left out. */
  now: Date;
  documents: Record<DocumentKind, Tally>;
  files: Tally;
  /** Records that have files in the archive, and which of these may be here; nothing until their document has been read. */
  records: Map<string, WantedFiles | undefined>;
  /** Conversations of the archive, and whether they are taken. */
  conversations: Map<string, boolean>;
}

export const KIND_OF_DOCUMENTS = {
  account: 'account',
  'webhook-endpoints': 'webhookEndpoint',
  chats: 'job',
  responses: 'job',
  conversations: 'conversation',
  messages: 'message',
  syntheses: 'job',
  transcriptions: 'job',
  'voice-turns': 'job',
  batches: 'job',
  files: 'file',
} as const satisfies Record<DocumentKind, TransferredKind>;

/**
 * Begins the plan of an archive: whose data it becomes.
 * @throws ConflictError where its user's name belongs to another account here; NotFoundError where `into` is nobody's.
 */
export async function beginPlan(
  { db }: ImportDeps,
  { source, into, now }: { source: ArchiveSource; into: string | undefined; now: Date },
): Promise<ImportPlan> {
  const { account, exists } = await targetOf(db, source, into);
  const tally = (): Tally => ({ added: 0, advanced: 0, present: 0, skipped: 0 });
  const records = source.manifest.files.flatMap(({ path }) => {
    const meaning = meaningOf(path);
    return 'record' in meaning ? [[meaning.record, undefined] as const] : [];
  });
  return {
    source,
    account,
    accountExists: exists,
    now,
    documents: Object.fromEntries(DOCUMENT_KINDS.map((kind) => [kind, tally()])) as ImportPlan['documents'],
    files: tally(),
    records: new Map(records),
    conversations: new Map(),
  };
}

async function targetOf(
  db: ImportDeps['db'],
  source: ArchiveSource,
  into: string | undefined,
): Promise<{ account: ImportPlan['account']; exists: boolean }> {
  const { id, username } = source.manifest.account;
  if (into !== undefined) {
    const account = await db.access.findAccount(into);
    if (!account) throw new NotFoundError(`There is no account ${into} here.`, { code: 'ACCOUNT_NOT_FOUND' });
    return { account: staying(source, account), exists: true };
  }
  const [sameId] = await db.transfer.find('account', [id]);
  const sameName = await db.access.findAccount(username);
  if (sameId?.username === username) return { account: staying(source, sameId), exists: true };
  if (sameId) throw conflict(source, `its account ${id} is called ${sameId.username} here, and ${username} there`);
  if (sameName) {
    throw conflict(
      source,
      `${username} is another account here (${sameName._id}); --into ${username} adds to that one`,
    );
  }
  return { account: { _id: id, username }, exists: false };
}

function staying(source: ArchiveSource, account: AccountRecord): AccountRecord {
  if (!account.erasingAt) return account;
  throw conflict(source, `${account.username} is being erased here; when that is done, import it again`);
}

/** Why an archive cannot be taken in here, though it is in order. */
export function conflict({ name }: ArchiveSource, reason: string): ConflictError {
  return new ConflictError(`Nothing of ${name} is imported: ${reason}.`, { code: 'IMPORT_CONFLICT' });
}

export function isWanted(wanted: WantedFiles, blobKey: string): boolean {
  return blobKey.endsWith('/input') ? wanted.input : wanted.output;
}
