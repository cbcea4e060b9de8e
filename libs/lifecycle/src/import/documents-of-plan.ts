import type { CheckedEntry } from '../archive/checked-entries.ts';
import type { Document, DocumentKind, RecordOfDocument } from '../archive/documents.ts';
import { readDocuments } from '../archive/read-documents.ts';
import { refuse } from '../archive/refusal.ts';
import type { ImportPlan } from './plan.ts';

/** A document as it is to be here: of the account whose data it becomes. */
export interface PlannedDocument<Kind extends DocumentKind = DocumentKind> {
  document: Document;
  record: RecordOfDocument[Kind];
  /** Its time has passed, or its conversation's: it is left out. */
  skipped: boolean;
}

/**
 * The documents of one kind, as the plan wants them.
 * @throws ValidationError `ARCHIVE_INVALID` where one is not the archive's account's, or they are not in order.
 */
export async function* plannedDocuments<Kind extends DocumentKind>(
  plan: ImportPlan,
  kind: Kind,
  entry: CheckedEntry,
): AsyncGenerator<PlannedDocument<Kind>> {
  const { name, manifest } = plan.source;
  let last = '';
  let seen = 0;
  for await (const { document, record } of readDocuments(name, kind, entry)) {
    const owner = kind === 'account' ? document.id : document.account;
    if (owner !== manifest.account.id) {
      throw refuse(name, `${entry.path}: ${document.id} is of another account (${owner})`);
    }
    const place = placeOf(kind, document);
    if (place <= last) throw refuse(name, `${entry.path}: ${document.id} comes twice, or out of order`);
    last = place;
    seen += 1;
    const ours = kind === 'account' ? {} : { account: plan.account._id };
    yield {
      document: { ...document, ...ours },
      record: { ...record, ...ours },
      skipped: isSkipped(plan, kind, document),
    };
  }
  if (seen !== manifest.documents[kind]) {
    throw refuse(name, `${entry.path} has ${seen} documents where its manifest says ${manifest.documents[kind]}`);
  }
}

/** Texts that grow from each document of a kind to the next; see snapshot.ts for the order. */
function placeOf(kind: DocumentKind, document: Document): string {
  switch (kind) {
    case 'account':
    case 'conversations':
      return document.id;
    case 'messages':
      return `${String(document['conversation'])} ${String(document['seq']).padStart(12, '0')}`;
    case 'webhook-endpoints':
    case 'chats':
    case 'responses':
    case 'syntheses':
    case 'transcriptions':
    case 'voice-turns':
    case 'batches':
    case 'files':
      return `${String(document['createdAt'])} ${document.id}`;
  }
}

function isSkipped({ now, conversations }: ImportPlan, kind: DocumentKind, document: Document): boolean {
  if (kind === 'messages') return conversations.get(String(document['conversation'])) === false;
  const expiresAt = document['expiresAt'];
  return typeof expiresAt === 'string' && new Date(expiresAt) <= now;
}
