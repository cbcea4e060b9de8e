import type { ModelInfo } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import type { AnnouncedModelRecord } from '../models/operations.model.ts';

export interface ModelsRepository {
  /** A worker says which models it has loaded or can load; it repeats that while it lives. */
  announce(models: ModelInfo[]): Promise<void>;
  /** Models announced within the last days: a worker may be away for a deploy and its jobs wait. */
  list(): Promise<(ModelInfo & { announcedAt: Date })[]>;
}

const REMEMBERED_MS = 7 * 24 * 60 * 60_000;

export function createModelsRepository(AnnouncedModel: Model<AnnouncedModelRecord>): ModelsRepository {
  return {
    async announce(models) {
      for (const { id, version, capabilities = [], ...info } of models) {
        const now = new Date();
        await AnnouncedModel.updateOne(
          { _id: id },
          {
            $set: { ...info, capabilities, ...(version !== undefined && { version }), lastSeenAt: now },
            $setOnInsert: { announcedAt: now },
            ...(version === undefined && { $unset: { version: 1 } }),
          },
          { upsert: true },
        );
      }
    },
    async list() {
      const recent = { lastSeenAt: { $gt: new Date(Date.now() - REMEMBERED_MS) } };
      const found = await AnnouncedModel.find(recent).sort({ kind: 1, _id: 1 }).lean();
      return found.map(({ _id: id, lastSeenAt: _, ...info }) => ({ id, ...info }));
    },
  };
}
