import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, type Logger } from '@aigolos/runtime';
import type { Model, mongo } from 'mongoose';
import { isHistoryLost } from './errors.ts';
import type { WatcherRecord } from './models/operations.model.ts';

/** One change: which collection, what happened, to which record; the record itself at an insert. */
export interface Change {
  collection: string;
  operation: 'insert' | 'delete';
  id: string;
  document: Record<string, unknown> | undefined;
  /** When the database made the change, as far as it says. */
  at: Date | undefined;
}

export interface WatchOptions {
  /** Under this name the watcher's place is kept. */
  name: string;
  collections: string[];
  /** Must be idempotent: after a restart the last changes come again. A change that it rejects is tried again, then left to the sweep. */
  onChange: (change: Change) => Promise<void>;
  /** The place is too old to go on from: changes were missed, a full sweep must make up for them. */
  onHistoryLost: () => Promise<void>;
  signal: AbortSignal;
  log: Logger;
}

const SAVE_AFTER_CHANGES_MS = 200;
/** A place that stands still must not grow older than the history that the database keeps. */
const SAVE_WHEN_IDLE_MS = 10_000;
const REOPEN_AFTER_IDLE_MS = 30_000;
const RETRY_MS = 500;
const ATTEMPTS_PER_CHANGE = 10;

/**
 * Watches inserts and deletes from the saved place on, until the signal. The place is saved after the effect, so that no
 * change is skipped. A stream that stays silent is opened anew now and then: a server that was restarted may have lost it.
 */
export async function watchChanges(
  database: mongo.Db,
  Watcher: Model<WatcherRecord>,
  options: WatchOptions,
): Promise<void> {
  const { name, signal, log } = options;
  while (!signal.aborted) {
    try {
      await watchOnce(database, Watcher, options);
    } catch (error) {
      if (signal.aborted) return;
      if (isHistoryLost(error)) {
        log.warn({ watcher: name }, 'the change history is gone, sweeping');
        await Watcher.deleteOne({ _id: name });
        await options.onHistoryLost();
      } else {
        log.warn({ watcher: name, err: error }, 'watching failed, trying again');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  }
}

async function watchOnce(database: mongo.Db, Watcher: Model<WatcherRecord>, options: WatchOptions): Promise<void> {
  const { name, collections, signal } = options;
  const saved = await Watcher.findOne({ _id: name }).lean();
  const stream = database.watch(
    [{ $match: { operationType: { $in: ['insert', 'delete'] }, 'ns.coll': { $in: collections } } }],
    { maxAwaitTimeMS: 1_000, ...(saved && { resumeAfter: saved.resumeToken }) },
  );
  const saveToken = async () => {
    if (!stream.resumeToken) return;
    await Watcher.updateOne(
      { _id: name },
      { $set: { resumeToken: stream.resumeToken, savedAt: new Date() } },
      { upsert: true },
    );
  };
  const close = () => void stream.close().catch(() => {});
  signal.addEventListener('abort', close, { once: true });
  try {
    let lastChange = Date.now();
    let lastSave = Date.now();
    let unsaved = false;
    while (!signal.aborted && Date.now() - lastChange < REOPEN_AFTER_IDLE_MS) {
      const event = await stream.tryNext();
      if (event) {
        await handle(event, options);
        unsaved = true;
        lastChange = Date.now();
      }
      if (Date.now() - lastSave > (unsaved ? SAVE_AFTER_CHANGES_MS : SAVE_WHEN_IDLE_MS)) {
        await saveToken();
        unsaved = false;
        lastSave = Date.now();
      }
    }
    await saveToken();
  } finally {
    signal.removeEventListener('abort', close);
    await stream.close().catch(() => {});
  }
}

/** Tries a change until it is done: going on without it would lose it, and giving up for good would hold up all others. */
async function handle(event: mongo.ChangeStreamDocument, { name, onChange, signal, log }: WatchOptions): Promise<void> {
  const change = toChange(event);
  if (!change) return;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await onChange(change);
    } catch (error) {
      signal.throwIfAborted();
      const details = {
        watcher: name,
        collection: change.collection,
        operation: change.operation,
        id: change.id,
        err: error,
      };
      if (attempt + 1 === ATTEMPTS_PER_CHANGE) return log.error(details, 'a change is left to the next sweep');
      log.warn(details, 'the reaction to a change failed, trying again');
      await sleep(backoffMs(attempt, { baseMs: 100, maxMs: 5_000 }), undefined, { signal });
    }
  }
}

function toChange(event: mongo.ChangeStreamDocument): Change | undefined {
  if (event.operationType !== 'insert' && event.operationType !== 'delete') return undefined;
  return {
    collection: event.ns.coll,
    operation: event.operationType,
    id: String(event.documentKey._id),
    document: event.operationType === 'insert' ? event.fullDocument : undefined,
    at: event.wallTime ?? undefined,
  };
}
