import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from '../installation.ts';
import type { Journal } from '../journal.ts';
import type { Client } from '../load/client.ts';
import type { Random } from '../random.ts';
import type { Place } from '../supervisor.ts';
import { type Fault, targetOf } from './schedule.ts';

export interface Injector {
  /** Carries out a fault, after those of the same thing that are not over, and repairs what it broke. */
  inject(fault: Fault): Promise<void>;
  /** Resolves when no fault is under way. */
  settled(): Promise<unknown>;
  /** Resolves when the jobs that were laid out have ended, or nobody waits for them any longer. */
  baitsEnded(): Promise<unknown>;
}

export interface InjectorOptions {
  installation: Installation;
  client: Client;
  journal: Journal;
  random: Random;
}

const BAIT_PATIENCE_MS = 4_000;
const LOOK_EVERY_MS = 100;
/** Whoever wakes up late first goes on with what it was at: it must be over before anything is judged. */
const LATE_WORK_MS = 8_000;

export function createInjector({ installation, client, journal, random }: InjectorOptions): Injector {
  const { redis, mongo, proxies, supervisor, db } = installation;
  const lastOfTarget = new Map<string, Promise<void>>();
  const baiting: Promise<void>[] = [];
  /** A process that is frozen cannot have ended a job, and is to wake up late. */
  const frozen = new Set<string>();

  /** Submits the jobs that a fault is to hit, and awaits that they run or, for Redis, wait, unless other faults keep them from it. */
  async function layOut({ baits, app }: Fault): Promise<void> {
    baiting.push(...baits.map((bait) => client.run(bait)));
    const ids = new Set(baits.map(({ id }) => id));
    const deadline = Date.now() + BAIT_PATIENCE_MS;
    while (ids.size > 0 && Date.now() < deadline) {
      for (const { op, job } of journal.of('acknowledged')) {
        if (!ids.has(op)) continue;
        const record = await db.jobs.find(job).catch(() => undefined);
        if (record && (app === undefined || record.status !== 'queued')) ids.delete(op);
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  function place({ app, index }: Fault): Place {
    const found = supervisor.places.find(({ id }) => id === `${app}#${index}`);
    if (!found) throw new Error(`there is no ${app}#${index}`);
    return found;
  }

  /** SIGKILL to every process of an app as soon as a job has ended, before anybody can have carried its end further. */
  async function killAfterEnd({ baits, durationMs }: Fault): Promise<string> {
    const [bait] = baits;
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline) {
      const job = journal.of('acknowledged').find(({ op }) => op === bait?.id)?.job;
      const record = job === undefined ? undefined : await db.jobs.find(job).catch(() => undefined);
      if (record?.finishedAt) break;
      await sleep(5);
    }
    const killed = [...installation.placesOf('worker-llm'), ...installation.placesOf('worker-maintenance')].filter(
      ({ id: place }) => !frozen.has(place),
    );
    for (const each of killed) each.setPause(durationMs);
    return killed.map((each) => `${each.id} ${each.signal('SIGKILL') ? 'killed' : 'was not there'}`).join(', ');
  }

  async function freeze(signal: (name: NodeJS.Signals) => unknown, durationMs: number): Promise<string> {
    signal('SIGSTOP');
    await sleep(durationMs);
    signal('SIGCONT');
    return `${durationMs} ms`;
  }

  async function hold(held: { hold(): void; release(): void }[], durationMs: number): Promise<string> {
    for (const proxy of held) proxy.hold();
    await sleep(durationMs);
    for (const proxy of held) proxy.release();
    return `${durationMs} ms`;
  }

  async function strike(fault: Fault): Promise<string> {
    const { durationMs } = fault;
    switch (fault.name) {
      case 'kill':
      case 'terminate': {
        const target = place(fault);
        target.setPause(durationMs);
        const running = target.process;
        const hit = target.signal(fault.name === 'kill' ? 'SIGKILL' : 'SIGTERM');
        await running?.ended;
        return hit ? `started again after ${durationMs} ms` : 'it was not there';
      }
      case 'freeze':
      case 'freeze_past_lease': {
        const target = place(fault);
        frozen.add(target.id);
        return freeze((signal) => target.signal(signal), durationMs).finally(() => frozen.delete(target.id));
      }
      case 'workers_killed_after_end':
        return killAfterEnd(fault);
      case 'redis_flushed':
        await redis.flushAll();
        return 'FLUSHALL';
      case 'redis_killed':
      case 'redis_outage':
        return outage(
          () => redis.goDown(),
          () => redis.comeBack('kept'),
          durationMs,
        );
      case 'redis_killed_without_data':
        return outage(
          () => redis.goDown(),
          () => redis.comeBack('lost'),
          durationMs,
        );
      case 'redis_frozen':
        return freeze((signal) => redis.signal(signal), durationMs);
      case 'database_killed':
      case 'database_outage':
        return outage(
          () => mongo.goDown(),
          () => mongo.comeBack(),
          durationMs,
        );
      case 'database_frozen':
        return freeze((signal) => mongo.signal(signal), durationMs);
      case 'redis_connections_cut':
        return `${proxies.redis.cut(random, 0.6)} cut`;
      case 'database_connections_cut':
        return `${proxies.database.cut(random, 0.6)} cut`;
      case 'client_connections_cut':
        return `${proxies.gateways.reduce((sum, proxy) => sum + proxy.cut(random, 1), 0)} cut`;
      case 'redis_connections_held':
        return hold([proxies.redis], durationMs);
      case 'database_connections_held':
        return hold([proxies.database], durationMs);
      case 'client_connections_held':
        return hold(proxies.gateways, durationMs);
    }
  }

  return {
    inject(fault) {
      const target = targetOf(fault);
      const { id, name } = fault;
      const done = (lastOfTarget.get(target) ?? Promise.resolve()).then(async () => {
        await layOut(fault);
        journal.write({ type: 'fault', fault: id, name, phase: 'begin', detail: target });
        const detail = await strike(fault).catch((error: unknown) => `could not be carried out: ${String(error)}`);
        journal.write({ type: 'fault', fault: id, name, phase: 'end', detail });
        if (name === 'freeze_past_lease') await sleep(LATE_WORK_MS);
      });
      lastOfTarget.set(target, done);
      return done;
    },
    settled: () => Promise.all(lastOfTarget.values()),
    baitsEnded: () => Promise.all(baiting),
  };
}

async function outage(down: () => Promise<void>, up: () => Promise<void>, durationMs: number): Promise<string> {
  await down();
  await sleep(durationMs);
  await up();
  return `${durationMs} ms`;
}
