import type { JobKind } from '@aigolos/contracts';
import type { ErasureItem, ErasuresRepository } from '@aigolos/db';

/** What a receipt counts. Files go by their keys in the blob store, everything else by its id. */
export type RemovedKind =
  | JobKind
  | 'file'
  | 'conversation'
  | 'message'
  | 'webhook_endpoint'
  | 'webhook_delivery'
  | 'api_key'
  | 'account';

/** Where an erasure writes down what it removes, before it does, so that its receipt is whole whatever process dies. */
export interface RemovalLedger {
  note(kind: RemovedKind, ids: string[]): Promise<void>;
  /** What was noted could not be removed yet; it is tried again until it is gone, and shown meanwhile. */
  postpone(item: ErasureItem, reason: string): Promise<void>;
  settle(item: ErasureItem): Promise<void>;
  /** How much was noted so far by this process. */
  readonly noted: number;
}

export function createRemovalLedger(erasures: ErasuresRepository, erasure: string): RemovalLedger {
  let noted = 0;
  return {
    get noted() {
      return noted;
    },
    async note(kind, ids) {
      await erasures.note(erasure, kind, ids);
      noted += ids.length;
    },
    postpone: (item, reason) => erasures.postpone(erasure, item, reason),
    settle: (item) => erasures.settle(erasure, item),
  };
}
