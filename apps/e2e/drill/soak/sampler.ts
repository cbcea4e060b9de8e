import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Installation } from '../installation.ts';
import type { Sample } from './slope.ts';

/** Of each process of the system, and of Redis: resident memory, open files, and what Redis says that it uses. */
export interface Sampler {
  sample(jobs: number): Promise<void>;
  readonly memoryMb: Map<string, Sample[]>;
  readonly files: Map<string, Sample[]>;
}

const run = promisify(execFile);
const MB = 1024 * 1024;

export function createSampler({ supervisor, redis, mongo }: Installation): Sampler {
  const memoryMb = new Map<string, Sample[]>();
  const files = new Map<string, Sample[]>();
  const add = (series: Map<string, Sample[]>, name: string, sample: Sample) =>
    series.set(name, [...(series.get(name) ?? []), sample]);

  async function ofProcess(name: string, pid: number, jobs: number): Promise<void> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    add(memoryMb, name, { jobs, value: kilobytes / 1024 });
    add(files, name, { jobs, value: (await readdir(`/proc/${pid}/fd`)).length });
  }

  return {
    memoryMb,
    files,
    async sample(jobs) {
      const apps = supervisor.places.flatMap(({ id, process }) => (process ? [[id, process.pid] as const] : []));
      await Promise.all(
        [...apps, ['redis', redis.pid] as const, ['database', mongo.pid] as const].map(([name, pid]) =>
          ofProcess(name, pid, jobs),
        ),
      );
      const { stdout } = await run('redis-cli', ['-p', String(redis.port), 'INFO', 'memory']);
      add(memoryMb, 'redis used_memory', { jobs, value: Number(/used_memory:(\d+)/.exec(stdout)?.[1]) / MB });
    },
  };
}
