import type { Amounts, UsageService } from '@aigolos/contracts';
import type { Model, QueryFilter } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type { UsageRecord } from '../models/usage.model.ts';

/** Fields that usage is told apart by. */
export const USAGE_FIELDS = ['account', 'apiKey', 'kind', 'model', 'batch'] as const;
export type UsageField = (typeof USAGE_FIELDS)[number];

export interface UsageFilter {
  /** Unix seconds; the second one exclusive. */
  from: number;
  to: number;
  service?: UsageService | undefined;
  accounts?: string[] | undefined;
  apiKeys?: string[] | undefined;
  models?: string[] | undefined;
  batch?: boolean | undefined;
}

/** What was used in the part of a time that begins at `start`, by whoever the fields name. */
export type UsageSum = { start: number; rows: number } & Partial<Pick<UsageRecord, UsageField>> &
  Pick<UsageRecord, 'requests' | 'audioSeconds' | 'characters' | 'inputTokens' | 'outputTokens' | 'computeMs'>;

/** What was used, which outlives the jobs that used it. */
export interface UsageRepository {
  /** Writes what is not written yet. */
  record(rows: UsageRecord[]): Promise<void>;
  /** Sums of parts of `seconds` each, which begin at its multiples; in the order of time, those without usage are left out. */
  sums(filter: UsageFilter, options: { seconds: number; by: readonly UsageField[] }): Promise<UsageSum[]>;
  /** What an account has taken since then, Unix seconds. */
  takenSince(account: string, from: number): Promise<Amounts>;
  deleteOf(account: string): Promise<void>;
  /** What is older, Unix seconds. @returns how many rows. */
  deleteBefore(time: number): Promise<number>;
}

const SUMMED = ['requests', 'audioSeconds', 'characters', 'inputTokens', 'outputTokens', 'computeMs'] as const;
const sums = Object.fromEntries(SUMMED.map((field) => [field, { $sum: `$${field}` }]));

export function createUsageRepository(Usage: Model<UsageRecord>): UsageRepository {
  return {
    async record(rows) {
      if (rows.length === 0) return;
      await Usage.insertMany(rows, { ordered: false, lean: true }).catch((error: unknown) => {
        if (!isDuplicateKey(error)) throw error;
      });
    },
    async sums(filter, { seconds, by }) {
      const start = { $subtract: ['$at', { $mod: ['$at', seconds] }] };
      const fields = Object.fromEntries(by.map((field) => [field, `$${field}`]));
      const found = await Usage.aggregate<{ _id: Pick<UsageSum, 'start' | UsageField> } & Omit<UsageSum, 'start'>>([
        { $match: matching(filter) },
        { $group: { _id: { start, ...fields }, rows: { $sum: 1 }, ...sums } },
        { $sort: { '_id.start': 1 } },
      ]);
      return found.map(({ _id, ...sum }) => ({ ...sum, ..._id }));
    },
    async takenSince(account, from) {
      const [sum] = await Usage.aggregate<Pick<UsageSum, (typeof SUMMED)[number]>>([
        { $match: { account, at: { $gte: from } } },
        { $group: { _id: null, ...sums } },
      ]);
      const { requests = 0, audioSeconds = 0, characters = 0, inputTokens = 0, outputTokens = 0 } = sum ?? {};
      return { requests, audio_seconds: Math.ceil(audioSeconds), characters, tokens: inputTokens + outputTokens };
    },
    async deleteOf(account) {
      await Usage.deleteMany({ account });
    },
    async deleteBefore(time) {
      return (await Usage.deleteMany({ at: { $lt: time } })).deletedCount;
    },
  };
}

function matching({ from, to, service, accounts, apiKeys, models, batch }: UsageFilter): QueryFilter<UsageRecord> {
  return {
    at: { $gte: from, $lt: to },
    ...(accounts && { account: { $in: accounts } }),
    ...(service && { service }),
    ...(apiKeys && { apiKey: { $in: apiKeys } }),
    ...(models && { model: { $in: models } }),
    ...(batch !== undefined && { batch }),
  };
}
