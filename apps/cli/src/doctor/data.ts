import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConsistencyDeps,
  createConsistencySweep,
  findInconsistencies,
  INCONSISTENCY_KINDS,
  type Inconsistency,
} from '@aigolos/lifecycle';
import { createQueueInspection } from '@aigolos/queue';
import { messageOf } from '@aigolos/runtime';
import type { CliConfig } from '../config.ts';
import { type Installation, withInstallation } from '../open-installation.ts';
import type { Reporter } from '../output/reporter.ts';
import { removalDeps } from '../removal-deps.ts';
import { readStackState, runningSupervisor } from '../supervisor/stack-state.ts';
import type { Finding } from './finding.ts';
import { checkJobs } from './jobs.ts';
import { repairJobs } from './repair-jobs.ts';

export interface DataOptions {
  config: CliConfig;
  signal: AbortSignal;
  /** For tests: what is just being written is whole after this. */
  settleMs?: number;
  /** For tests. */
  graceMs?: number;
}

const NAME = 'data';
const SETTLE_MS = 2_000;
const GRACE_MS = 60_000;
const NAMED = 3;
/** What is lost, or promised and not done; the rest is mended by the running stack. */
const BAD: readonly string[] = ['missing_blob', 'erased_record_present', 'erasure_unfinished'];

/** Looks whether jobs of the running or named installation are stuck, and whether its data fits together. Nothing where there is none. */
export async function checkData({ config, signal, settleMs = SETTLE_MS }: DataOptions): Promise<Finding[]> {
  if (!(await hasInstallation(config))) return [];
  try {
    return await withInstallation(
      async (installation) => [
        ...(await checkJobs(installation)),
        ...(await check(consistencyDeps(installation), settleMs, signal)),
      ],
      { redis: true, config },
    );
  } catch (error) {
    return [{ name: NAME, state: 'bad', detail: messageOf(error) }];
  }
}

/** Mends what does not fit together, and says what it did. @returns how much it mended. */
export async function repairData(options: DataOptions, reporter: Reporter): Promise<number> {
  const { config, signal, graceMs = GRACE_MS } = options;
  return withInstallation(
    async (installation) => {
      const { redis } = installation;
      const jobs = redis ? await repairJobs({ ...installation, redis }, signal) : {};
      for (const [repair, count] of Object.entries(jobs)) if (count > 0) reporter.ok('mended', `${repair}: ${count}`);
      const onRepaired = ({ kind, detail }: Inconsistency) => reporter.ok('mended', `${kind}: ${detail}`);
      const sweep = createConsistencySweep(consistencyDeps(installation), { graceMs, isAsked: true, onRepaired });
      const { found } = await sweep.sweep(signal);
      if (total(found) === 0) return total(jobs);
      reporter.begin('waiting', `${graceMs / 1_000} s, until what is just being written is whole`);
      await sleep(graceMs, undefined, { signal });
      return total(jobs) + total((await sweep.sweep(signal)).repaired);
    },
    { redis: true, config },
  );
}

async function hasInstallation({ env, paths }: CliConfig): Promise<boolean> {
  if (env.MONGO_URL) return true;
  return (await runningSupervisor(paths.home)) !== undefined && readStackState(paths.home)?.url !== undefined;
}

async function check(deps: ConsistencyDeps, settleMs: number, signal: AbortSignal): Promise<Finding[]> {
  const first = await Array.fromAsync(findInconsistencies(deps, signal));
  if (first.length === 0) return [{ name: NAME, state: 'ok', detail: 'fits together' }];
  await sleep(settleMs, undefined, { signal });
  const before = new Set(first.map(({ kind, id }) => `${kind} ${id}`));
  const second = await Array.fromAsync(findInconsistencies(deps, signal));
  const found = second.filter(({ kind, id }) => before.has(`${kind} ${id}`));
  if (found.length === 0) return [{ name: NAME, state: 'ok', detail: 'fits together' }];
  return INCONSISTENCY_KINDS.flatMap((kind) => {
    const ofKind = found.filter((one) => one.kind === kind);
    return ofKind.length === 0 ? [] : [toFinding(kind, ofKind)];
  });
}

function toFinding(kind: Inconsistency['kind'], found: Inconsistency[]): Finding {
  const named = found.slice(0, NAMED).map(({ detail }) => detail);
  const more = found.length > NAMED ? [`and ${found.length - NAMED} more`] : [];
  return {
    name: kind,
    state: BAD.includes(kind) ? 'bad' : 'warning',
    detail: [...named, ...more].join('; '),
    remedy: REMEDIES[kind],
  };
}

const MENDED = 'the running stack mends it, or aigolos doctor --repair';
const REMEDIES: Record<Inconsistency['kind'], string> = {
  orphan_blobs: MENDED,
  missing_blob: 'import a backup, or let aigolos doctor --repair note in the records that it is gone',
  leftover_files: MENDED,
  record_without_account: MENDED,
  message_without_conversation: MENDED,
  job_without_webhook_rows: MENDED,
  delivery_without_job: MENDED,
  queue_entry_without_job: MENDED,
  erased_record_present: 'aigolos doctor --repair removes it again',
  erasure_unfinished: 'put right what is in its way; it is tried again by itself',
};

function consistencyDeps(installation: Installation): ConsistencyDeps {
  const { db, blobs, redis } = installation;
  const removal = removalDeps(installation);
  const producer = redis?.producer ?? { remove: removal.producer.remove, addDelivery: () => Promise.resolve() };
  return { ...removal, db, blobs, producer, ...(redis && { queues: createQueueInspection(redis.producer) }) };
}

function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
