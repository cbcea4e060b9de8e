import type { JobKind } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import type { AnyJobRecord, JobRecord } from '../models/job.model.ts';

/** What keeps a submission from being done twice: the client's own key of it, and what it is about. */
export interface JobSubmissionsRepository {
  /** The job that an account's key stands for. One whose time, or whose key's time, has come gives the key back. */
  findByIdempotencyKey(account: string, key: string): Promise<AnyJobRecord | undefined>;
  /** Gives back all keys whose time had come by then. @returns how many. */
  freeIdempotencyKeys(until: Date): Promise<number>;
  /** A job of the account that did this very work, has completed and is still kept. */
  findReusable<Kind extends JobKind>(
    account: string,
    kind: Kind,
    contentKey: string,
  ): Promise<JobRecord<Kind> | undefined>;
}

const FREED = { $unset: { idempotencyKey: 1, requestFingerprint: 1, idempotencyKeyUntil: 1 } } as const;

export function createJobSubmissionsRepository(Job: Model<JobRecord>): JobSubmissionsRepository {
  return {
    async findByIdempotencyKey(account, idempotencyKey) {
      const found = (await Job.findOne({ account, idempotencyKey }).lean()) as AnyJobRecord | null;
      if (!found) return undefined;
      const now = new Date();
      const { _id, idempotencyKeyUntil, expiresAt } = found;
      const isOver = (time: Date | undefined) => time !== undefined && time <= now;
      if (!isOver(idempotencyKeyUntil) && !isOver(expiresAt)) return found;
      await Job.updateOne({ _id, account, idempotencyKey }, FREED);
      return undefined;
    },
    async freeIdempotencyKeys(until) {
      return (await Job.updateMany({ idempotencyKeyUntil: { $lte: until } }, FREED)).matchedCount;
    },
    async findReusable<Kind extends JobKind>(account: string, kind: Kind, contentKey: string) {
      const done = { account, contentKey, kind, status: 'completed' as const };
      const kept = { result: { $exists: true }, expiresAt: { $not: { $lte: new Date() } } };
      return ((await Job.findOne({ ...done, ...kept }).lean()) ?? undefined) as JobRecord<Kind> | undefined;
    },
  };
}
