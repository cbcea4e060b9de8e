import type { Database, Reaction, WatchObserver } from '@aigolos/db';
import { Counter, Gauge, Histogram, type Logger, type Registry } from '@aigolos/runtime';

export interface ReactorOptions {
  db: Pick<Database, 'watch'>;
  reactions: Reaction[];
  /** Makes up for changes that nobody saw. */
  sweep: (signal: AbortSignal) => Promise<void>;
  metrics: Registry;
  log: Logger;
}

export interface ReactionsStatus {
  /** `idle`: another process leads. `opening`: it leads, and has not heard of changes yet. */
  state: 'idle' | 'opening' | 'watching' | 'silent';
  /** Since the database last answered the watcher, while it watches. */
  silentForSeconds: number;
  /** By reaction, since the last change that was reacted to in this process. */
  lastEventAgeSeconds: Record<string, number>;
}

export interface Reactors {
  /** Reacts to what the database tells of its changes, until the signal. */
  run(signal: AbortSignal, fence: number): Promise<void>;
  status(): ReactionsStatus;
}

/** The watcher hears from the database several times a second. */
const SILENT_AFTER_SECONDS = 5;

/** The reactions with their metrics, log and state. */
export function createReactors({ db, reactions, sweep, metrics, log }: ReactorOptions): Reactors {
  const lastEvents = new Map<string, number>();
  const measured = createReactionMetrics(metrics, reactions, lastEvents);
  /** Since the term began, or the database last answered in it. */
  let silentSince: number | undefined;
  let hasHeard = false;

  const observer: WatchObserver = {
    onHeard() {
      silentSince = Date.now();
      hasHeard = true;
    },
    onHistoryLost: () => measured.historyLost.inc(),
    onEffect({ name }, { id, at }) {
      const now = Date.now();
      lastEvents.set(name, now);
      measured.effects.inc({ reaction: name });
      const latencyMs = at && Math.max(0, now - at.getTime());
      if (latencyMs !== undefined) measured.latency.observe({ reaction: name }, latencyMs / 1_000);
      log.debug({ reaction: name, id, latencyMs }, 'reacted');
    },
    onFailure({ name }, { id }, { error, givenUp }) {
      measured.failures.inc({ reaction: name });
      if (givenUp) measured.givenUp.inc({ reaction: name });
      if (givenUp) log.error({ reaction: name, id, err: error }, 'a change is left to the next sweep');
      else log.warn({ reaction: name, id, err: error }, 'the reaction to a change failed, trying again');
    },
  };

  return {
    async run(signal, fence) {
      silentSince = Date.now();
      hasHeard = false;
      try {
        await db.watch({ name: 'reactions', fence, reactions, sweep, observer, signal, log });
      } finally {
        silentSince = undefined;
      }
    },
    status() {
      const ages = [...lastEvents].map(([name, at]) => [name, secondsSince(at)] as const);
      const silentForSeconds = silentSince === undefined ? 0 : secondsSince(silentSince);
      const leading = hasHeard ? 'watching' : 'opening';
      const state = silentForSeconds > SILENT_AFTER_SECONDS ? 'silent' : leading;
      return {
        state: silentSince === undefined ? 'idle' : state,
        silentForSeconds,
        lastEventAgeSeconds: Object.fromEntries(ages),
      };
    },
  };
}

function createReactionMetrics(registry: Registry, reactions: Reaction[], lastEvents: ReadonlyMap<string, number>) {
  const options = { labelNames: ['reaction'] as const, registers: [registry] };
  const effects = new Counter({ name: 'aigolos_reactions_total', help: 'Changes that were reacted to', ...options });
  const failures = new Counter({
    name: 'aigolos_reaction_failures_total',
    help: 'Attempts to react to a change that failed',
    ...options,
  });
  const givenUp = new Counter({
    name: 'aigolos_reactions_given_up_total',
    help: 'Changes that were left to the sweep, as the reaction to them kept failing',
    ...options,
  });
  const latency = new Histogram({
    name: 'aigolos_reaction_latency_seconds',
    help: 'From the change to its effect',
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    ...options,
  });
  new Gauge({
    name: 'aigolos_reaction_last_event_age_seconds',
    help: 'Since the last change that was reacted to here',
    collect() {
      for (const [reaction, at] of lastEvents) this.set({ reaction }, secondsSince(at));
    },
    ...options,
  });
  const historyLost = new Counter({
    name: 'aigolos_change_history_lost_total',
    help: 'How often the place in the change stream was too old to go on from',
    registers: [registry],
  });
  for (const { name } of reactions)
    for (const counter of [effects, failures, givenUp]) counter.inc({ reaction: name }, 0);
  return { effects, failures, givenUp, latency, historyLost };
}

function secondsSince(at: number): number {
  return (Date.now() - at) / 1_000;
}
