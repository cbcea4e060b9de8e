import { Readable } from 'node:stream';
import type { ConversationRecord, WebhookEndpointRecord } from '@aigolos/db';
import { type CheckedEntry, checkedEntries } from '../archive/checked-entries.ts';
import type { DocumentKind, RecordOfDocument } from '../archive/documents.ts';
import { meaningOf } from '../archive/manifest.ts';
import { batchesOf } from '../batches.ts';
import { rotatedSecrets } from '../webhook-secrets.ts';
import { plannedDocuments } from './documents-of-plan.ts';
import { type ImportDeps, type ImportPlan, isWanted, KIND_OF_DOCUMENTS } from './plan.ts';

const BATCH = 200;

/**
 * Writes what an examined archive holds and is not here: documents first, then their files, so that no file is ever without its
 * record. Ended early, the next run goes on from there.
 */
export async function carryOut(
  deps: ImportDeps,
  plan: ImportPlan,
  { signal, onEntry }: { signal: AbortSignal; onEntry: (entry: CheckedEntry) => void },
): Promise<void> {
  for await (const entry of checkedEntries(plan.source)) {
    signal.throwIfAborted();
    onEntry(entry);
    const meaning = meaningOf(entry.path);
    if ('documents' in meaning) await writeDocuments(deps, { plan, kind: meaning.documents, entry, signal });
    else if (isWanted(plan.records.get(meaning.record) ?? { input: false, output: false }, meaning.blobKey)) {
      await writeFile(deps, { entry, blobKey: meaning.blobKey, signal });
    }
  }
}

async function writeDocuments(
  { db: { transfer } }: ImportDeps,
  writing: { plan: ImportPlan; kind: DocumentKind; entry: CheckedEntry; signal: AbortSignal },
): Promise<void> {
  const { plan, kind, entry, signal } = writing;
  for await (const batch of batchesOf(plannedDocuments(plan, kind, entry), BATCH)) {
    signal.throwIfAborted();
    if (kind === 'account' && plan.accountExists) continue;
    const records = batch.filter(({ skipped }) => !skipped).map(({ record }) => record);
    if (kind === 'webhook-endpoints') await transfer.insert('webhookEndpoint', records.map(putAside));
    else await transfer.insert(KIND_OF_DOCUMENTS[kind], records as never[]);
    if (kind === 'conversations') for (const record of records) await transfer.advance(record as ConversationRecord);
  }
}

/** An endpoint comes without its secret: its owner takes a new one and resumes it. Until then it calls nobody. */
function putAside(endpoint: unknown): WebhookEndpointRecord {
  return {
    ...(endpoint as RecordOfDocument['webhook-endpoints']),
    secrets: rotatedSecrets(undefined, 0),
    status: 'paused',
    statusReason: 'it came with an import: rotate its secret, then set it active',
    failuresInRow: 0,
    updatedAt: new Date(),
  };
}

async function writeFile(
  { blobs }: ImportDeps,
  { entry, blobKey, signal }: { entry: CheckedEntry; blobKey: string; signal: AbortSignal },
): Promise<void> {
  if (await blobs.exists(blobKey)) return;
  const file = await blobs.receive(Readable.from(entry.content), { maxBytes: entry.bytes, signal });
  try {
    await blobs.commit(file, blobKey);
  } catch (error) {
    await blobs.discard(file);
    throw error;
  }
}
