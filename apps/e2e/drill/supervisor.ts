import { setTimeout as sleep } from 'node:timers/promises';
import { type AppProcess, startApp } from '@aigolos/testing';
import getPort from 'get-port';
import type { Journal } from './journal.ts';

/** A place for one process of an app, which is filled again whenever it falls empty. */
export interface Place {
  /** Such as `worker-asr#2`. */
  id: string;
  app: string;
  /** Where it answers, the same after each restart. */
  port: number;
  readonly process: AppProcess | undefined;
  /** Sends a signal to the process that is there now; false where none is. */
  signal(signal: NodeJS.Signals): boolean;
  /** The next process begins after so long. */
  setPause(ms: number): void;
}

export interface Supervisor {
  places: Place[];
  ready(): Promise<void>;
  /** Output of every process that ever ran. */
  logs(): { id: string; output: string }[];
  /** Kills them all. */
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  /** How many processes of each app. */
  apps: Record<string, number>;
  env(place: Pick<Place, 'id' | 'app' | 'port'>): Record<string, string>;
  journal: Journal;
}

const PAUSE_MS = 500;

/** Keeps the apps running: whatever ends is started again. */
export async function startSupervisor({ apps, env, journal }: SupervisorOptions): Promise<Supervisor> {
  const ended: { id: string; output: string }[] = [];
  let stopping = false;

  async function openPlace(app: string, index: number): Promise<{ place: Place; keep: Promise<void> }> {
    const id = `${app}#${index}`;
    const port = await getPort();
    let current: AppProcess | undefined;
    let pauseMs = PAUSE_MS;
    let isWanted = false;
    const place: Place = {
      id,
      app,
      port,
      get process() {
        return current;
      },
      signal(signal) {
        if (!current) return false;
        if (signal === 'SIGKILL' || signal === 'SIGTERM') isWanted = true;
        current.signal(signal);
        return true;
      },
      setPause(ms) {
        pauseMs = ms;
      },
    };
    const begin = async () => {
      isWanted = false;
      current = await startApp(app, env(place), port);
      journal.write({ type: 'app_started', app: id, pid: current.pid });
      return current;
    };
    const first = await begin();
    const keep = (async () => {
      for (let running = first; ; running = await begin()) {
        const { exitCode, signal } = await running.ended;
        current = undefined;
        ended.push({ id, output: running.log() });
        const how = signal ?? `code ${exitCode}`;
        journal.write({ type: 'app_ended', app: id, pid: running.pid, how, wanted: isWanted || stopping });
        if (stopping) return;
        await sleep(pauseMs);
        pauseMs = PAUSE_MS;
        if (stopping) return;
      }
    })();
    return { place, keep };
  }

  const wanted = Object.entries(apps).flatMap(([app, count]) =>
    Array.from({ length: count }, (_, index) => [app, index + 1] as const),
  );
  const opened = await Promise.all(wanted.map(([app, index]) => openPlace(app, index)));
  const places = opened.map(({ place }) => place);
  return {
    places,
    async ready() {
      // On a busy machine a dozen processes that start at once take more than the minute that one of them waits.
      await Promise.all(places.map(async ({ process }) => process?.ready().catch(() => process.ready())));
    },
    logs: () => [...ended, ...places.map(({ id, process }) => ({ id, output: process?.log() ?? '' }))],
    async stop() {
      stopping = true;
      for (const place of places) place.signal('SIGKILL');
      await Promise.all(opened.map(({ keep }) => keep));
    },
  };
}
