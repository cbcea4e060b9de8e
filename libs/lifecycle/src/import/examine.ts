import type { ConversationPlace } from '@aigolos/db';
import { z } from 'zod';
import type { ArchiveSource } from '../archive/archive-source.ts';
import { type CheckedEntry, checkedEntries } from '../archive/checked-entries.ts';
import { type Document, type DocumentKind, toDocument } from '../archive/documents.ts';
import { meaningOf } from '../archive/manifest.ts';
import { refuse } from '../archive/refusal.ts';
import { batchesOf } from '../batches.ts';
import { isAhead, isTheSame } from './compare.ts';
import { type PlannedDocument, plannedDocuments } from './documents-of-plan.ts';
import { beginPlan, conflict, type ImportDeps, type ImportPlan, isWanted, KIND_OF_DOCUMENTS } from './plan.ts';

const BATCH = 200;
const CONFLICTS_SHOWN = 5;

/**
 * Reads an archive to its last byte and compares it with what is here; writes nothing.
 * @throws ValidationError `ARCHIVE_INVALID` where the archive is not in order; ConflictError where a record is here with other
 * content or of another account.
 */
export async function examine(
  deps: ImportDeps,
  options: {
    source: ArchiveSource;
    into?: string | undefined;
    now: Date;
    signal: AbortSignal;
    onEntry: (entry: CheckedEntry) => void;
  },
): Promise<ImportPlan> {
  const { source, into, now, signal, onEntry } = options;
  const plan = await beginPlan(deps, { source, into, now });
  const conflicts: string[] = [];
  for await (const entry of checkedEntries(source)) {
    signal.throwIfAborted();
    onEntry(entry);
    const meaning = meaningOf(entry.path);
    if ('documents' in meaning)
      await examineDocuments(deps, { plan, kind: meaning.documents, entry, conflicts, signal });
    else await examineFile(deps, plan, meaning);
  }
  if (conflicts.length > 0) {
    const shown = conflicts.slice(0, CONFLICTS_SHOWN).join('; ');
    const more = conflicts.length - CONFLICTS_SHOWN;
    throw conflict(source, more > 0 ? `${shown}; and ${more} more` : shown);
  }
  return plan;
}

interface Examined {
  plan: ImportPlan;
  kind: DocumentKind;
  entry: CheckedEntry;
  conflicts: string[];
  signal: AbortSignal;
}

async function examineDocuments(deps: ImportDeps, examined: Examined): Promise<void> {
  const { plan, kind, entry, signal } = examined;
  for await (const batch of batchesOf(plannedDocuments(plan, kind, entry), BATCH)) {
    signal.throwIfAborted();
    if (kind === 'account') plan.documents.account[plan.accountExists ? 'present' : 'added'] += 1;
    else await examineBatch(deps, examined, batch);
  }
}

async function examineBatch(deps: ImportDeps, { plan, kind, conflicts }: Examined, batch: PlannedDocument[]) {
  const tally = plan.documents[kind];
  const here = await livingDocuments(deps, kind, batch);
  const fresh: Document[] = [];
  for (const { document, skipped } of batch) {
    const living = here.get(document.id);
    remember(plan, { kind, document, skipped, living });
    if (skipped) tally.skipped += 1;
    else if (!here.has(document.id)) fresh.push(document);
    else if (!living || !isTheSame(kind, document, living)) conflicts.push(`${document.id} is here with other content`);
    else tally[kind === 'conversations' && isAhead(document, living) ? 'advanced' : 'present'] += 1;
  }
  tally.added += fresh.length;
  conflicts.push(...(await strangersIn(deps, plan, { kind, documents: fresh })));
}

/** What is here of these documents; nothing for one that is here but could not be exported as it is, such as a running job. */
async function livingDocuments(
  { db }: ImportDeps,
  kind: DocumentKind,
  batch: PlannedDocument[],
): Promise<Map<string, Document | undefined>> {
  const ids = batch.map(({ document }) => document.id);
  const found = await db.transfer.find(KIND_OF_DOCUMENTS[kind], ids);
  return new Map(
    found.map((record) => {
      try {
        return [record._id, toDocument(kind, record as never)];
      } catch (error) {
        if (error instanceof z.ZodError) return [record._id, undefined];
        throw error;
      }
    }),
  );
}

/** Keeps what later entries depend on: which conversations are taken, which files are wanted. */
function remember(
  plan: ImportPlan,
  one: { kind: DocumentKind; document: Document; skipped: boolean; living: Document | undefined },
): void {
  const { kind, document, skipped, living } = one;
  if (kind === 'conversations') plan.conversations.set(document.id, !skipped);
  if (kind === 'messages' && !plan.conversations.has(String(document['conversation']))) {
    throw refuse(plan.source.name, `${document.id} is of a conversation that the archive does not hold`);
  }
  if (!plan.records.has(document.id)) return;
  const isKept = (part: 'input' | 'output') => {
    const expiresAt = document[`${part}ExpiresAt`];
    const hasExpired = typeof expiresAt === 'string' && new Date(expiresAt) <= plan.now;
    return !skipped && !hasExpired && !document[`${part}DeletedAt`] && !living?.[`${part}DeletedAt`];
  };
  plan.records.set(document.id, { input: isKept('input'), output: isKept('output') });
}

/** New turns and messages must not come into somebody else's conversation, nor take a place that is taken. */
async function strangersIn(
  { db: { transfer } }: ImportDeps,
  plan: ImportPlan,
  { kind, documents }: { kind: DocumentKind; documents: Document[] },
): Promise<string[]> {
  if (kind !== 'chats' && kind !== 'responses' && kind !== 'voice-turns' && kind !== 'messages') return [];
  const places = documents.flatMap((document): ConversationPlace[] => {
    const { id: _id, conversation, turn, seq } = document;
    return typeof conversation === 'string' ? [{ _id, conversation, place: Number(turn ?? seq) }] : [];
  });
  const ids = [...new Set(places.map(({ conversation }) => conversation))];
  const strange = (await transfer.find('conversation', ids)).filter(({ account }) => account !== plan.account._id);
  const taken = await transfer.placesTaken(kind === 'messages' ? 'message' : 'job', places);
  return [
    ...strange.map(({ _id }) => `${_id} is a conversation of another account here`),
    ...taken.map(({ _id, conversation, place }) => `place ${place} of ${conversation} is that of ${_id} here`),
  ];
}

async function examineFile(
  { blobs }: ImportDeps,
  plan: ImportPlan,
  { blobKey, record }: { blobKey: string; record: string },
): Promise<void> {
  const wanted = plan.records.get(record);
  if (!wanted) throw refuse(plan.source.name, `${blobKey} is a file of a record that the archive does not hold`);
  if (!isWanted(wanted, blobKey)) plan.files.skipped += 1;
  else plan.files[(await blobs.exists(blobKey)) ? 'present' : 'added'] += 1;
}
