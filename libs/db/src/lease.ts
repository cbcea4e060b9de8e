import type { Model } from 'mongoose';
import { isDuplicateKey } from './errors.ts';
import type { LeaseRecord } from './models/operations.model.ts';

export interface Leases {
  /** Takes or prolongs a lease. The fence tells this holder from earlier ones; nothing when somebody else holds it. */
  acquire(name: string, holder: string, leaseMs: number): Promise<{ fence: number } | undefined>;
  /** Gives it back, so that the next holder need not wait. */
  release(name: string, holder: string): Promise<void>;
}

export function createLeases(Lease: Model<LeaseRecord>): Leases {
  return {
    async acquire(name, holder, leaseMs) {
      const now = new Date();
      const until = new Date(now.getTime() + leaseMs);
      const current = await Lease.findOne({ _id: name }).lean();
      if (!current) {
        return Lease.create({ _id: name, holder, fence: 1, until }).then(
          () => ({ fence: 1 }),
          (error: unknown) => {
            if (isDuplicateKey(error)) return undefined;
            throw error;
          },
        );
      }
      const mine = current.holder === holder;
      if (!mine && current.until > now) return undefined;
      const fence = mine ? current.fence : current.fence + 1;
      const { matchedCount } = await Lease.updateOne(
        { _id: name, holder: current.holder, fence: current.fence, until: current.until },
        { $set: { holder, fence, until } },
      );
      return matchedCount === 1 ? { fence } : undefined;
    },
    async release(name, holder) {
      await Lease.updateOne({ _id: name, holder }, { $set: { until: new Date(0) } });
    },
  };
}
