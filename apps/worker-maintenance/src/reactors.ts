import type { Database } from '@aigolos/db';
import type { Reaction } from '@aigolos/lifecycle';
import { Counter, Gauge, Histogram, type Logger, type Registry } from '@aigolos/runtime';

export interface ReactorOptions {
  db: Database;
  reactions: Reaction[];
  /** Makes up for changes that were missed. */
  onHistoryLost: () => Promise<void>;
  metrics: Registry;
  log: Logger;
}

/** Runs the reactions on what the database tells of its changes, until the signal. */
export function createReactors({ db, reactions, onHistoryLost, metrics, log }: ReactorOptions) {
  const effects = new Counter({
    name: 'aigolos_reactions_total',
    help: 'Changes that were reacted to',
    labelNames: ['reaction'],
    registers: [metrics],
  });
  const latency = new Histogram({
    name: 'aigolos_reaction_latency_seconds',
    help: 'From the change to its effect',
    labelNames: ['reaction'],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers: [metrics],
  });
  const lost = new Counter({
    name: 'aigolos_change_history_lost_total',
    help: 'How often the place in the change stream was too old to go on from',
    registers: [metrics],
  });
  const last = new Gauge({
    name: 'aigolos_reaction_last_event_timestamp_seconds',
    help: 'When the last change was reacted to',
    labelNames: ['reaction'],
    registers: [metrics],
  });
  for (const { name } of reactions) effects.inc({ reaction: name }, 0);

  return {
    run: (signal: AbortSignal) =>
      db.watch({
        name: 'reactions',
        collections: [...new Set(reactions.map(({ collection }) => collection))],
        signal,
        log,
        async onChange(change) {
          const matching = reactions.filter(
            ({ collection, operation }) => collection === change.collection && operation === change.operation,
          );
          for (const { name, react } of matching) {
            await react(change);
            effects.inc({ reaction: name });
            last.set({ reaction: name }, Date.now() / 1_000);
            if (change.at) latency.observe({ reaction: name }, Math.max(0, Date.now() - change.at.getTime()) / 1_000);
            log.debug({ reaction: name, id: change.id }, 'reacted');
          }
        },
        async onHistoryLost() {
          lost.inc();
          await onHistoryLost();
        },
      }),
  };
}
