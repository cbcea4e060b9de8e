import type { BlobStore } from '@aigolos/blob-store';
import type { Database } from '@aigolos/db';
import type { Producer, QueueInspection } from '@aigolos/queue';
import type { RemovalDeps } from '../removal.ts';

export const INCONSISTENCY_KINDS = [
  'orphan_blobs',
  'missing_blob',
  'leftover_files',
  'record_without_account',
  'message_without_conversation',
  'job_without_webhook_rows',
  'delivery_without_job',
  'queue_entry_without_job',
  'erased_record_present',
  'erasure_unfinished',
] as const;
export type InconsistencyKind = (typeof INCONSISTENCY_KINDS)[number];

/** Two things that belong together and are not together. */
export interface Inconsistency {
  kind: InconsistencyKind;
  id: string;
  /** In one sentence, without content. */
  detail: string;
}

export interface ConsistencyDeps extends Omit<RemovalDeps, 'ledger'> {
  db: RemovalDeps['db'] & Pick<Database, 'consistency' | 'erasures' | 'inspection'>;
  producer: RemovalDeps['producer'] & Pick<Producer, 'addDelivery'>;
  blobs: RemovalDeps['blobs'] & Pick<BlobStore, 'recordIds' | 'exists' | 'delete' | 'sweepSpool'>;
  /** Absent where no Redis is known. */
  queues?: Pick<QueueInspection, 'entries' | 'remove'>;
}

export interface ConsistencyCheck {
  kind: InconsistencyKind;
  /** Is it mended without being asked? Not where it could be mended better, such as from a backup. */
  isAutomatic: boolean;
  find(deps: ConsistencyDeps, signal: AbortSignal): AsyncIterable<Omit<Inconsistency, 'kind'>>;
  /** Mends it if, looked at again, it is still so. @returns whether it was. */
  repair(deps: ConsistencyDeps, id: string, signal: AbortSignal): Promise<boolean>;
}

const LOOKED_UP_AT_ONCE = 500;

/** Those of many ids that `existing` does not know, asked a page at a time. */
export async function* missingOf(
  ids: AsyncIterable<string>,
  existing: (ids: string[]) => Promise<Set<string>>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let page = new Set<string>();
  async function* missing(): AsyncGenerator<string> {
    signal.throwIfAborted();
    const known = await existing([...page]);
    for (const id of page) if (!known.has(id)) yield id;
    page = new Set();
  }
  for await (const id of ids) if (page.add(id).size === LOOKED_UP_AT_ONCE) yield* missing();
  if (page.size > 0) yield* missing();
}
