import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, type Logger } from '@aigolos/runtime';
import type { Model, mongo } from 'mongoose';
import { createChangeLine } from './change-line.ts';
import { pipelineFor, type Reaction, toChange } from './changes.ts';
import { isHistoryLost } from './errors.ts';
import type { WatcherRecord } from './models/operations.model.ts';
import { createReactor, type ReactionObserver } from './reactor.ts';
import { createPlaceKeeper, createWatcherPlace, FencedOffError, type WatcherPlace } from './watcher-place.ts';

export interface WatchOptions {
  /** Under this name the watcher's place is kept. */
  name: string;
  /** Of the lease under which it watches: a watcher with a higher one shuts this one out. */
  fence: number;
  reactions: readonly Reaction[];
  /** Makes up for changes that nobody saw. Runs where there is no place to go on from, by whichever watcher, until it succeeds. */
  sweep: (signal: AbortSignal) => Promise<void>;
  observer: WatchObserver;
  signal: AbortSignal;
  log: Logger;
}

/** Is told how the watching goes. */
export interface WatchObserver extends ReactionObserver {
  /** The database answers, several times a second: changes come in as they are made. */
  onHeard(): void;
  /** The place was too old to go on from. */
  onHistoryLost(): void;
}

const MAX_AWAIT_MS = 250;
const REOPEN_AFTER_IDLE_MS = 30_000;
const RETRY_MS = 500;
const SWEEP_BACKOFF = { baseMs: 1_000, maxMs: 30_000 };
/** So many changes are taken in while the first of them is not done. */
const MAX_IN_LINE = 1_000;

/**
 * Reacts to changes from the saved place on, until the signal. Those of one record are reacted to in their order, those of others
 * side by side; the place is saved up to where all effects have come about, so that no change is skipped.
 * @throws FencedOffError when a watcher with a higher fence has begun.
 */
export async function watchChanges(
  database: mongo.Db,
  Watcher: Model<WatcherRecord>,
  options: WatchOptions,
): Promise<void> {
  const { name, signal, log, observer } = options;
  const place = createWatcherPlace(Watcher, options);
  while (!signal.aborted) {
    try {
      await watchOnce(database, place, options);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof FencedOffError) throw error;
      if (isHistoryLost(error)) {
        log.warn({ watcher: name, err: error }, 'the change history is gone: beginning at now, with a sweep');
        observer.onHistoryLost();
        await place.drop().catch(() => {});
      } else {
        log.warn({ watcher: name, err: error }, 'watching failed, trying again');
      }
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
}

/** Watches until the signal, an error, or a silence so long that the server may have lost the stream in a restart. */
async function watchOnce(database: mongo.Db, place: WatcherPlace, options: WatchOptions): Promise<void> {
  const { reactions, observer } = options;
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const { resumeToken, isSweepDue } = await place.claim();
  const stream = database.watch(pipelineFor(reactions), {
    maxAwaitTimeMS: MAX_AWAIT_MS,
    // `resumeAfter` would not go on after the database was dropped.
    ...(resumeToken !== undefined && { startAfter: resumeToken }),
  });
  const close = () => stream.close().catch(() => {});
  signal.addEventListener('abort', () => void close(), { once: true });
  const line = createChangeLine<mongo.ResumeToken>();
  const keeper = createPlaceKeeper(place, line);
  const react = createReactor(reactions, observer, signal);
  let sweeping: Promise<void> | undefined;
  let lastEvent = Date.now();
  try {
    while (!signal.aborted) {
      const event = await stream.tryNext();
      observer.onHeard();
      // Begins when the stream is open, so that nothing falls between what it sees and what the stream tells.
      if (isSweepDue) sweeping ??= sweepUntilDone(options, place, signal);
      const change = event && toChange(event);
      if (change) line.add({ key: change.id, place: stream.resumeToken, work: () => react(change) });
      else line.pass(stream.resumeToken);
      await keeper.keep();
      if (event) lastEvent = Date.now();
      if (event?.operationType === 'invalidate') return await line.shorterThan(1, signal);
      if (Date.now() - lastEvent > REOPEN_AFTER_IDLE_MS && line.length === 0) return;
      await line.shorterThan(MAX_IN_LINE, signal);
    }
  } finally {
    ended.abort();
    await Promise.all([line.settled(), sweeping, close()]);
    // Whatever was in the way, a place that is not saved is only an older one.
    await keeper.keepNow().catch(() => {});
  }
}

/** Settles when a sweep has succeeded, or at the signal. */
async function sweepUntilDone(
  { name, sweep, log }: WatchOptions,
  place: WatcherPlace,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      await sweep(signal);
      return await place.noteSwept();
    } catch (error) {
      if (signal.aborted) return;
      log.error({ watcher: name, err: error }, 'the sweep for missed changes failed, trying again');
      await sleep(backoffMs(attempt, SWEEP_BACKOFF), undefined, { signal }).catch(() => {});
    }
  }
}
