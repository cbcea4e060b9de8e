import type { Logger } from '@aigolos/runtime';
import {
  type ConsistencyCheck,
  type ConsistencyDeps,
  INCONSISTENCY_KINDS,
  type Inconsistency,
  type InconsistencyKind,
} from './check.ts';
import { erasedRecords, unfinishedErasures } from './erasure-checks.ts';
import { leftoverFiles } from './leftover-files.ts';
import { missingBlobs } from './missing-blobs.ts';
import { queueEntriesWithoutJob } from './queue-checks.ts';
import { messagesWithoutConversation, orphanBlobs, recordsWithoutAccount } from './record-checks.ts';
import { deliveriesWithoutJob, jobsWithoutWebhookRows } from './webhook-checks.ts';

const CHECKS: Record<InconsistencyKind, ConsistencyCheck> = {
  orphan_blobs: orphanBlobs,
  missing_blob: missingBlobs,
  leftover_files: leftoverFiles,
  record_without_account: recordsWithoutAccount,
  message_without_conversation: messagesWithoutConversation,
  job_without_webhook_rows: jobsWithoutWebhookRows,
  delivery_without_job: deliveriesWithoutJob,
  queue_entry_without_job: queueEntriesWithoutJob,
  erased_record_present: erasedRecords,
  erasure_unfinished: unfinishedErasures,
};

/** For so long something may be without what it belongs to: a file is stored a moment before its record. */
const GRACE_MS = 60_000;
const SPOOL_AGE_MS = 24 * 60 * 60_000;

/** Everything that does not fit together at this moment. What is just being written may be among it. */
export async function* findInconsistencies(deps: ConsistencyDeps, signal: AbortSignal): AsyncGenerator<Inconsistency> {
  for (const kind of INCONSISTENCY_KINDS) {
    for await (const found of CHECKS[kind].find(deps, signal)) yield { kind, ...found };
  }
}

/** How many of each kind. */
export type InconsistencyCounts = Record<InconsistencyKind, number>;

export interface ConsistencySweep {
  /** Mends what was found by an earlier sweep, long enough ago, and is still so; then looks for more. */
  sweep(signal: AbortSignal): Promise<{ found: InconsistencyCounts; repaired: InconsistencyCounts }>;
}

export interface ConsistencySweepOptions {
  graceMs?: number;
  /** Mend also what is mended only when somebody asks for it? */
  isAsked?: boolean;
  onRepaired?: (inconsistency: Inconsistency) => void;
}

/** The safety net under the reactions and under everything that writes to more than one place. */
export function createConsistencySweep(
  deps: ConsistencyDeps,
  { graceMs = GRACE_MS, isAsked = false, onRepaired = () => {} }: ConsistencySweepOptions = {},
): ConsistencySweep {
  const suspects = new Map<string, Inconsistency & { since: number }>();

  async function mend(signal: AbortSignal): Promise<InconsistencyCounts> {
    const repaired = none();
    for (const [key, { since, ...suspect }] of suspects) {
      signal.throwIfAborted();
      if (Date.now() - since < graceMs) continue;
      const mended = await repairOne(deps, suspect, { isAsked, signal });
      if (mended === undefined) continue;
      suspects.delete(key);
      if (!mended) continue;
      repaired[suspect.kind] += 1;
      onRepaired(suspect);
    }
    return repaired;
  }

  return {
    async sweep(signal) {
      const repaired = await mend(signal);
      const found = none();
      for await (const inconsistency of findInconsistencies(deps, signal)) {
        const { kind, id } = inconsistency;
        found[kind] += 1;
        const key = `${kind} ${id}`;
        if (!suspects.has(key)) suspects.set(key, { ...inconsistency, since: Date.now() });
      }
      await deps.blobs.sweepSpool(SPOOL_AGE_MS);
      return { found, repaired };
    },
  };
}

/** @returns whether it was mended; nothing where that failed and is to be tried again. */
async function repairOne(
  deps: ConsistencyDeps & { log: Logger },
  { kind, id }: Inconsistency,
  { isAsked, signal }: { isAsked: boolean; signal: AbortSignal },
): Promise<boolean | undefined> {
  const check = CHECKS[kind];
  if (!check.isAutomatic && !isAsked) return false;
  try {
    return await check.repair(deps, id, signal);
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn({ kind, id, err: error }, 'a repair failed, it is tried again');
    return undefined;
  }
}

function none(): InconsistencyCounts {
  return Object.fromEntries(INCONSISTENCY_KINDS.map((kind) => [kind, 0])) as InconsistencyCounts;
}
