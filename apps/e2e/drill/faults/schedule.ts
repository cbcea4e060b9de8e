import { batchOperation } from '../load/batches.ts';
import { jobOfSeconds, type Operation, plainText } from '../load/operations.ts';
import type { Random } from '../random.ts';

/** What can happen to a process of an app. */
const APP_FAULTS = ['kill', 'terminate', 'freeze', 'freeze_past_lease'] as const;
const SERVER_FAULTS = [
  'redis_killed',
  'redis_killed_without_data',
  'redis_flushed',
  'redis_frozen',
  'redis_outage',
  'redis_connections_cut',
  'redis_connections_held',
  'database_killed',
  'database_frozen',
  'database_outage',
  'database_connections_cut',
  'database_connections_held',
  'client_connections_cut',
  'client_connections_held',
  /** Every process that may have ended a job, in the moment after its end. */
  'workers_killed_after_end',
] as const;
export type FaultName = (typeof APP_FAULTS)[number] | (typeof SERVER_FAULTS)[number];

export interface Fault {
  id: string;
  name: FaultName;
  /** Since the load began. */
  atMs: number;
  /** Of an app's fault: which app, and which of its processes. */
  app?: string;
  index?: number;
  /** How long it lasts, or how long it takes until what was killed is started again. */
  durationMs: number;
  /** Jobs that are running when it comes. */
  baits: Operation[];
}

/** Faults of different things that may happen at the same time; of the same thing they come one after another. */
export function targetOf({ name, app, index }: Pick<Fault, 'name' | 'app' | 'index'>): string {
  if (app !== undefined) return `${app}#${index}`;
  return name === 'workers_killed_after_end' ? 'worker-llm' : (name.split('_', 1)[0] ?? name);
}

export const WORKERS = ['worker-asr', 'worker-llm', 'worker-tts'] as const;
const APPS = [...WORKERS, 'gateway', 'worker-maintenance', 'worker-webhooks'] as const;
/** Longer than a lease of 10 s, and than it takes others to find the job and to do it. */
const PAST_LEASE_MS = { least: 18_000, most: 22_000 };
/** More than other processes of the kind can take, so that one is held by the one that is meant. */
const BAITS = 4;
/** More than can run at once, so that some are known to Redis alone. */
const QUEUED_BAITS = 12;

export interface ScheduleOptions {
  faults: number;
  durationMs: number;
  outageMs: number;
  /** Processes by app. */
  apps: Record<string, number>;
}

/** Until a killed process is started again where nothing else is drawn. */
const KILLED_MS = 1_000;

type Draft = Pick<Fault, 'name' | 'app'>;

/** A seeded schedule over the time of the load. What brings the controls out is in every drill, then one of each, the rest is drawn. */
export function planFaults(random: Random, options: ScheduleOptions): Fault[] {
  const musts: Draft[] = [
    { name: 'freeze_past_lease', app: random.pick(WORKERS) },
    { name: 'redis_flushed' },
    { name: 'workers_killed_after_end' },
    { name: 'kill', app: random.pick(WORKERS) },
    { name: 'database_killed' },
    { name: 'kill', app: 'worker-maintenance' },
    { name: 'redis_outage' },
    { name: 'terminate', app: random.pick(WORKERS) },
    { name: 'kill', app: 'gateway' },
    { name: random.pick(['database_connections_cut', 'redis_connections_cut', 'client_connections_cut'] as const) },
    { name: 'kill', app: 'worker-webhooks' },
    { name: 'database_frozen' },
    { name: 'database_outage' },
    { name: 'redis_killed_without_data' },
  ];
  const [freeze, flush, killAfterEnd, ...rest] = musts as [Draft, Draft, Draft, ...Draft[]];
  const drafts = [freeze, flush, killAfterEnd, ...random.shuffled(rest)].slice(0, options.faults);
  while (drafts.length < options.faults) {
    drafts.push(
      random.chance(0.55)
        ? { name: random.pick(APP_FAULTS), app: random.pick(APPS) }
        : { name: random.pick(SERVER_FAULTS) },
    );
  }
  // What takes longest begins early, so that a short drill does not end by waiting for it.
  const [longest, ...others] = drafts;
  const ordered = [...(longest ? [longest] : []), ...random.shuffled(others)];
  const step = (options.durationMs * 0.9) / Math.max(1, ordered.length);
  return ordered.map((draft, position) => {
    const id = `fault${position}`;
    const atMs = Math.round(1_000 + step * (position + random.next() * 0.6));
    const index = draft.app === undefined ? undefined : random.between(1, options.apps[draft.app] ?? 1);
    return {
      id,
      ...draft,
      ...(index !== undefined && { index }),
      atMs,
      durationMs: durationOf(draft, random, options),
      baits: baitsOf(draft, random, { id, atMs }),
    };
  });
}

function durationOf({ name }: Draft, random: Random, { outageMs }: ScheduleOptions): number {
  if (name === 'freeze_past_lease') return random.between(PAST_LEASE_MS.least, PAST_LEASE_MS.most);
  if (name.endsWith('_outage')) return outageMs;
  if (name.includes('frozen') || name === 'freeze' || name.endsWith('_held')) return random.between(1_000, 5_000);
  return random.between(100, 2_000);
}

/** SIGKILL of a worker that runs jobs. */
export function killOf(app: (typeof WORKERS)[number], random: Random, at: { id: string; atMs: number }): Fault {
  const draft = { name: 'kill' as const, app };
  return { ...at, ...draft, index: 1, durationMs: KILLED_MS, baits: baitsOf(draft, random, at) };
}

/** Jobs of some seconds, submitted just before; a gateway runs batches. */
function baitsOf({ name, app }: Draft, random: Random, { id, atMs }: { id: string; atMs: number }): Operation[] {
  const common = (bait: number) => ({ id: `${id}bait${bait}`, atMs, manner: 'async' as const, hasKey: true });
  if (name === 'workers_killed_after_end') {
    const base = common(0);
    return [{ ...base, kind: 'chat', text: `${base.id}: ${plainText(random, 30)}`, conversation: base.id, turn: 0 }];
  }
  if (name === 'redis_flushed' || name === 'redis_killed_without_data') {
    return Array.from({ length: QUEUED_BAITS }, (_, bait): Operation => {
      const base = common(bait);
      return { ...base, kind: 'chat', text: `${base.id}: [[words ${random.between(60, 120)}]]` };
    });
  }
  if (app === 'gateway') return [batchOperation(random, { id: `${id}bait0`, atMs, isCancelled: false })];
  const worker = WORKERS.find((candidate) => candidate === app);
  if (worker === undefined) return [];
  return Array.from({ length: BAITS }, (_, bait) => jobOfSeconds(worker, random.between(3, 5), common(bait), random));
}
