import { childRunning, MODELS_DIR, residentBytes } from '@aigolos/testing';
import { type Stack, startStack } from '../test/stack.ts';
import { makeLongFile, submit } from './long-file.ts';

export interface MemoryRow {
  minutes: number;
  workerMB: number;
  /** Of the recogniser's process, where it has one. */
  recogniserMB: number | undefined;
  seconds: number;
  /** What the last checkpoint of such a file weighs, about. */
  resultKB: number;
}

export interface MemoryOptions {
  engines: 'test' | 'real';
  model: string;
  folder: string;
  minutes: number[];
}

const SAMPLE_EVERY_MS = 200;

/** The most memory that a fresh worker takes while it transcribes a file of each length. */
export async function measureMemory({ engines, model, folder, minutes }: MemoryOptions): Promise<MemoryRow[]> {
  const env = engines === 'real' ? { ASR_MODEL: model } : { MODELS_DIR };
  const rows: MemoryRow[] = [];
  for (const length of minutes) {
    const path = await makeLongFile(folder, length);
    const stack = await startStack({ engines, env });
    try {
      rows.push({ minutes: length, ...(await watchJob(stack, path)) });
    } finally {
      await stack.stop();
    }
  }
  return rows;
}

async function watchJob(stack: Stack, path: string): Promise<Omit<MemoryRow, 'minutes'>> {
  const { pid } = stack.app('worker-asr');
  const host = await childRunning('asr_host.py', pid).catch(() => undefined);
  let worker = 0;
  let recogniser = 0;
  const sample = async () => {
    worker = Math.max(worker, await residentBytes(pid));
    if (host !== undefined) recogniser = Math.max(recogniser, await residentBytes(host));
  };
  const sampling = setInterval(() => void sample(), SAMPLE_EVERY_MS);
  const begun = performance.now();
  const result = await submit(stack, path).finally(() => clearInterval(sampling));
  return {
    workerMB: Math.round(worker / 1e6),
    recogniserMB: host === undefined ? undefined : Math.round(recogniser / 1e6),
    seconds: Math.round((performance.now() - begun) / 1_000),
    resultKB: Math.round(JSON.stringify(result).length / 1e3),
  };
}
