import type { Model, mongo } from 'mongoose';
import type { ChangeLine } from './change-line.ts';
import { isDuplicateKey } from './errors.ts';
import type { WatcherRecord } from './models/operations.model.ts';

/** A watcher with a higher fence has begun: this one's time is over. */
export class FencedOffError extends Error {
  override name = 'FencedOffError';
  constructor(watcher: string, fence: number) {
    super(`A newer leader watches as "${watcher}"; the one with fence ${fence} must stop.`);
  }
}

/** Where a watcher goes on from after a restart. Only the newest holder of the lease can write it. */
export interface WatcherPlace {
  /** Shuts out all older watchers of this name and tells where the last one was, if that is known, and whether changes were missed before. */
  claim(): Promise<{ resumeToken: mongo.ResumeToken; isSweepDue: boolean }>;
  save(resumeToken: mongo.ResumeToken): Promise<void>;
  /** There is no going on from the saved place. */
  drop(): Promise<void>;
  /** A sweep has made up for what was missed. */
  noteSwept(): Promise<void>;
}

/** All methods throw `FencedOffError` once a watcher with a higher fence has claimed the place. */
export function createWatcherPlace(
  Watcher: Model<WatcherRecord>,
  { name, fence }: { name: string; fence: number },
): WatcherPlace {
  async function update(change: mongo.UpdateFilter<WatcherRecord>): Promise<void> {
    const { matchedCount } = await Watcher.updateOne({ _id: name, fence }, change);
    if (matchedCount === 1) return;
    if (await Watcher.exists({ _id: name, fence: { $gt: fence } })) throw new FencedOffError(name, fence);
    throw new Error(`The place of the watcher "${name}" was removed.`);
  }
  return {
    async claim() {
      try {
        // Where the fence that stands there is higher nothing matches, and the insert that follows meets the same id.
        await Watcher.updateOne({ _id: name, fence: { $not: { $gt: fence } } }, { $set: { fence } }, { upsert: true });
      } catch (error) {
        throw isDuplicateKey(error) ? new FencedOffError(name, fence) : error;
      }
      const { resumeToken, sweepDue } = (await Watcher.findOne({ _id: name }).lean()) ?? {};
      const isSweepDue = sweepDue === true || resumeToken === undefined;
      if (isSweepDue) await update({ $set: { sweepDue: true } });
      return { resumeToken, isSweepDue };
    },
    save: (resumeToken) => update({ $set: { resumeToken, savedAt: new Date() } }),
    drop: () => update({ $unset: { resumeToken: 1 } }),
    noteSwept: () => update({ $unset: { sweepDue: 1 } }),
  };
}

const SAVE_AFTER_CHANGES_MS = 200;
/** A place that stands still must not grow older than the history that the database keeps. */
const SAVE_WHEN_IDLE_MS = 10_000;

/** Saves how far a line has come, now and then. */
export function createPlaceKeeper(place: WatcherPlace, line: ChangeLine<mongo.ResumeToken>) {
  let saved: mongo.ResumeToken;
  let savedAt = 0;
  let doneAtSave = 0;

  async function keepNow(): Promise<void> {
    const { place: current, done } = line;
    if (current === undefined || current === saved) return;
    await place.save(current);
    saved = current;
    savedAt = Date.now();
    doneAtSave = done;
  }
  return {
    keepNow,
    async keep(): Promise<void> {
      const pauseMs = line.done > doneAtSave ? SAVE_AFTER_CHANGES_MS : SAVE_WHEN_IDLE_MS;
      if (Date.now() - savedAt > pauseMs) await keepNow();
    },
  };
}
