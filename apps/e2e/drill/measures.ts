import { type Case, faultTimes } from './invariants/case.ts';

/** Some times of one kind, in milliseconds. */
export interface Times {
  count: number;
  p50: number;
  p95: number;
  most: number;
}

export interface Measured {
  /** What is wanted, in milliseconds, and of which of the times; nothing of what others are compared with. */
  wanted?: { ms: number; of: 'p95' | 'most' };
  times: Times | undefined;
  meaning: string;
}

/** How quickly the system came back. */
export function measureRecovery(given: Case): Record<string, Measured> {
  return {
    restart: {
      meaning: 'SIGKILL of a worker to the next start of a job that it ran',
      wanted: { ms: 15_000, of: 'most' },
      times: timesOf(restarts(given)),
    },
    after_redis_outage: {
      meaning: 'the end of a Redis outage to the first end of a job that began after it',
      wanted: { ms: 5_000, of: 'most' },
      times: timesOf(afterOutages(given)),
    },
    submit_without_redis: {
      meaning: 'the acknowledgement of a submission while Redis is away',
      wanted: { ms: 200, of: 'p95' },
      times: timesOf(submissionsWithoutRedis(given)),
    },
    submit: {
      meaning: 'the same while nothing is wrong',
      times: timesOf(submissionsUndisturbed(given)),
    },
    cancel: {
      meaning: 'the acknowledgement of the cancel of a running job to its end',
      wanted: { ms: 1_000, of: 'p95' },
      times: timesOf(cancels(given)),
    },
  };
}

/** By the timelines of the jobs: an attempt that vanished, and the one after it; only where the servers were there. */
function restarts(given: Case): number[] {
  const faults = faultTimes(given);
  const kills = faults.filter(({ name }) => name === 'kill');
  const others = faults.filter(({ name }) => isOfServer(name) || name.startsWith('freeze'));
  return [...given.evidence.jobs.values()].flatMap(({ attempts = [] }) =>
    attempts.flatMap(({ startedAt, outcome }, place) => {
      const next = attempts[place + 1]?.startedAt.getTime();
      if (outcome !== 'vanished' || next === undefined) return [];
      const kill = kills.findLast(({ begin }) => startedAt.getTime() < begin && begin < next);
      if (!kill || others.some((other) => overlaps(other, { begin: startedAt.getTime(), end: next }))) return [];
      return [next - kill.begin];
    }),
  );
}

const isRedisAway = (name: string) => name === 'redis_outage' || name.startsWith('redis_killed');

/** Only where the database was there. */
function afterOutages(given: Case): number[] {
  const faults = faultTimes(given);
  return faults
    .filter(({ name }) => name === 'redis_outage')
    .filter(
      ({ end }) => !faults.some((other) => isOfServer(other.name) && overlaps(other, { begin: end, end: end + 5_000 })),
    )
    .flatMap(({ end }) => {
      const ends = [...given.evidence.jobs.values()]
        .filter(({ startedAt }) => startedAt && startedAt.getTime() >= end)
        .flatMap(({ finishedAt }) => (finishedAt ? [finishedAt.getTime()] : []));
      return ends.length === 0 ? [] : [Math.min(...ends) - end];
    });
}

function submissionsWithoutRedis(given: Case): number[] {
  const faults = faultTimes(given);
  const away = faults.filter(({ name }) => isRedisAway(name));
  const others = faults.filter(({ name }) => !isRedisAway(name));
  return given.journal.of('acknowledged').flatMap(({ op, http, ms, at }) => {
    const whole = { begin: at - ms, end: at };
    const within = away.some(({ begin, end }) => begin <= whole.begin && whole.end <= end);
    return within && http === 202 && isSentAtOnce(given, op) && !others.some((other) => overlaps(other, whole))
      ? [ms]
      : [];
  });
}

/** What is left of a fault is over some seconds after it. */
const AFTERMATH_MS = 5_000;

function submissionsUndisturbed(given: Case): number[] {
  const faults = faultTimes(given);
  return given.journal.of('acknowledged').flatMap(({ op, http, ms, at }) => {
    const whole = { begin: at - ms - AFTERMATH_MS, end: at };
    return http === 202 && isSentAtOnce(given, op) && !faults.some((fault) => overlaps(fault, whole)) ? [ms] : [];
  });
}

function isSentAtOnce({ operations }: Case, op: string): boolean {
  const operation = operations.get(op);
  return operation?.manner === 'async' && !('sendsSlowly' in operation && operation.sendsSlowly);
}

/** Only where nothing else was wrong meanwhile. Of a batch what is done is collected first. */
function cancels(given: Case): number[] {
  const faults = faultTimes(given);
  return given.journal.of('cancel_acknowledged').flatMap(({ op, job, status, at }) => {
    const finishedAt = given.evidence.jobs.get(job)?.finishedAt?.getTime();
    if (given.operations.get(op)?.kind === 'batch' || status !== 'in_progress' || finishedAt === undefined) return [];
    const disturbed = faults.some((fault) => overlaps(fault, { begin: at - 5_000, end: finishedAt }));
    return disturbed ? [] : [Math.max(0, finishedAt - at)];
  });
}

interface Span {
  begin: number;
  end: number;
}

/** Spans that only touch do not: the end of an outage is no part of what comes after it. */
const overlaps = (a: Span, b: Span) => a.begin < b.end && b.begin < a.end;
const isOfServer = (name: string) => name.startsWith('redis') || name.startsWith('database');

function timesOf(ms: number[]): Times | undefined {
  if (ms.length === 0) return undefined;
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), most: at(1) };
}
