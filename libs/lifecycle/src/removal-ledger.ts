import type { JobKind } from '@aigolos/contracts';
import type { ErasureItem, ErasuresRepository } from '@aigolos/db';

/** What a receipt counts. A `file` is one of the blob store and goes by its key, everything else by its id. */
export type RemovedKind =
  | JobKind
  | 'file'
  | 'uploaded_file'
  | 'upload'
  | 'conversation'
  | 'message'
  | 'webhook_endpoint'
  | 'webhook_delivery'
  | 'api_key'
  | 'backup'
  | 'account';

/** Where an erasure writes down what it removes, before it does, so that its receipt is whole whatever process dies. */
export interface RemovalLedger {
  note(kind: RemovedKind, ids: string[]): Promise<void>;
  /** What was noted could not be removed yet; it is tried again until it is gone, and shown meanwhile. */
  postpone(item: ErasureItem, reason: string): Promise<void>;
  settle(item: ErasureItem): Promise<void>;
  /** How much was noted so far in this attempt. */
  readonly noted: number;
  /** Was it postponed in this attempt? */
  hasPostponed(item: ErasureItem): boolean;
}

export function createRemovalLedger(erasures: ErasuresRepository, erasure: string): RemovalLedger {
  let noted = 0;
  const postponed = new Set<string>();
  return {
    get noted() {
      return noted;
    },
    async note(kind, ids) {
      await erasures.note(erasure, kind, ids);
      noted += ids.length;
    },
    hasPostponed: ({ kind, item }) => postponed.has(`${kind} ${item}`),
    async postpone({ kind, item }, reason) {
      await erasures.postpone(erasure, { kind, item }, reason);
      postponed.add(`${kind} ${item}`);
    },
    settle: (item) => erasures.settle(erasure, item),
  };
}
