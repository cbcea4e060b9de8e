import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type { TaskRunRecord } from '../models/operations.model.ts';

export type TaskRunClaim =
  /** It is the caller's to run; `attempt` counts from 1. */
  | { outcome: 'claimed'; attempt: number }
  /** Another process runs it until then, unless it dies. */
  | { outcome: 'held'; until: Date }
  /** It was done, or given up. */
  | { outcome: 'over' };

/** Runs of scheduled tasks, one for each due time, however often that is told. Kept for 30 days. */
export interface TaskRunsRepository {
  /** Takes a due time that nobody has run, or whose runner's lease has run out. */
  claim(run: { name: string; slot: Date }, by: { holder: string; leaseMs: number }): Promise<TaskRunClaim>;
  /** Prolongs the lease; false when somebody else runs it by now. */
  renew(run: { name: string; slot: Date }, by: { holder: string; leaseMs: number }): Promise<boolean>;
  /** Ends the run, or lets it be claimed again at once. */
  end(run: { name: string; slot: Date }, holder: string, how: 'done' | 'failed' | 'again'): Promise<void>;
}

export function createTaskRunsRepository(TaskRun: Model<TaskRunRecord>): TaskRunsRepository {
  return {
    async claim({ name, slot }, { holder, leaseMs }) {
      const _id = idOf({ name, slot });
      const now = new Date();
      const leaseUntil = new Date(now.getTime() + leaseMs);
      const current = await TaskRun.findOne({ _id }).lean();
      if (!current) {
        const run = { _id, name, slot, state: 'running' as const, holder, attempt: 1, leaseUntil, startedAt: now };
        return TaskRun.create(run).then(
          () => ({ outcome: 'claimed', attempt: 1 }),
          (error: unknown) => {
            if (isDuplicateKey(error)) return { outcome: 'held', until: leaseUntil };
            throw error;
          },
        );
      }
      if (current.state !== 'running') return { outcome: 'over' };
      if (current.leaseUntil > now) return { outcome: 'held', until: current.leaseUntil };
      const attempt = current.attempt + 1;
      const { matchedCount } = await TaskRun.updateOne(
        { _id, state: 'running', attempt: current.attempt },
        { $set: { holder, attempt, leaseUntil } },
      );
      return matchedCount === 1 ? { outcome: 'claimed', attempt } : { outcome: 'held', until: leaseUntil };
    },
    async renew(run, { holder, leaseMs }) {
      const { matchedCount } = await TaskRun.updateOne(
        { _id: idOf(run), holder, state: 'running' },
        { $set: { leaseUntil: new Date(Date.now() + leaseMs) } },
      );
      return matchedCount === 1;
    },
    async end(run, holder, how) {
      const now = new Date();
      await TaskRun.updateOne(
        { _id: idOf(run), holder, state: 'running' },
        { $set: how === 'again' ? { leaseUntil: now } : { state: how, finishedAt: now } },
      );
    },
  };
}

function idOf({ name, slot }: { name: string; slot: Date }): string {
  return `${name} ${slot.toISOString()}`;
}
