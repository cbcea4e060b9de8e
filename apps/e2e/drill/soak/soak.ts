import { setTimeout as sleep } from 'node:timers/promises';
import { type Installation, startInstallation } from '../installation.ts';
import { createJournal } from '../journal.ts';
import { MULTIPART_TYPE, multipart } from '../load/http.ts';
import { makeSamples, toWav } from '../load/sound.ts';
import { createSampler, type Sampler } from './sampler.ts';
import { type Sample, slopePer, valleys } from './slope.ts';

export interface SoakOptions {
  jobs: number;
  /** Requests under way at a time. */
  atOnce: number;
  onProgress(line: string): void;
}

export interface SoakReport {
  jobs: number;
  failed: number;
  seconds: number;
  jobsPerSecond: number;
  /** Growth in 10,000 jobs: megabytes, and open files. */
  growth: { process: string; memoryMb: number; files: number; mb: number; passes: boolean }[];
  /** What the growth was reckoned from: megabytes of each process. */
  samples: Record<string, Sample[]>;
  passes: boolean;
}

const APPS = {
  gateway: 1,
  'worker-asr': 1,
  'worker-llm': 1,
  'worker-tts': 1,
  'worker-maintenance': 1,
  'worker-webhooks': 1,
};
/** What is done meanwhile is deleted soon, so that the database stays as large as it is. */
const RETENTION = 'input=60, result=60, output=60, conversation=60';
const SAMPLE_EVERY_MS = 2_000;
const PER = 10_000;
const MOST_MB = 1;
const MOST_FILES = 2;
/** The first jobs fill caches, pools and what the compiler makes. */
const WARM_UP = 0.3;
const STRETCHES = 14;
/** Of so many jobs one is a transcription and one is speech: each costs two processes of ffmpeg. */
const ONE_IN = 100;

/** A steady load, as much as the machine can take, and what grows under it. */
export async function runSoak({ jobs, atOnce, onProgress }: SoakOptions): Promise<SoakReport> {
  const installation = await startInstallation({
    journal: createJournal(),
    apps: APPS,
    env: {
      TEST_ENGINE_PACE_MS: '0',
      CONCURRENCY: '16',
      RETENTION,
      LOG_LEVEL: 'warn',
      RECONCILE_EVERY_MS: '10000',
      CONSISTENCY_EVERY_MS: '60000',
      CONSISTENCY_GRACE_MS: '60000',
      EXPIRE_EVERY_MS: '5000',
    },
  });
  try {
    const sampler = createSampler(installation);
    const begun = Date.now();
    const seconds = () => (Date.now() - begun) / 1_000;
    let done = 0;
    let failed = 0;
    let next = 0;
    const lane = async () => {
      for (let number = next++; number < jobs; number = next++) {
        if (!(await submitAndWait(installation, number))) failed += 1;
        done += 1;
      }
    };
    const sampling = keepSampling(
      sampler,
      () => done,
      (line) => onProgress(`${line}, ${failed} failed, ${(done / seconds()).toFixed(1)} a second`),
    );
    await Promise.all(Array.from({ length: atOnce }, lane));
    await sampling.stop();
    const growth = growthOf(sampler, jobs);
    const passes = growth.every((one) => one.passes) && failed === 0;
    const samples = Object.fromEntries(sampler.memoryMb);
    return { jobs, failed, seconds: Math.round(seconds()), jobsPerSecond: jobs / seconds(), growth, samples, passes };
  } finally {
    await installation.stop();
  }
}

function keepSampling(sampler: Sampler, done: () => number, onProgress: (line: string) => void) {
  const stopping = new AbortController();
  const running = (async () => {
    for (let count = 0; !stopping.signal.aborted; count += 1) {
      await sampler.sample(done());
      if (count % 15 === 0) onProgress(`${done()} jobs`);
      await sleep(SAMPLE_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** One job as a caller has it who waits for the answer; false where there was none. */
async function submitAndWait({ urls, apiKey }: Installation, number: number): Promise<boolean> {
  const authorization = `Bearer ${apiKey}`;
  const json = { authorization, 'content-type': 'application/json' };
  const post = (path: string, headers: Record<string, string>, body: string | Buffer<ArrayBuffer>) =>
    fetch(`${urls[0]}${path}`, { method: 'POST', headers, body, signal: AbortSignal.timeout(60_000) });
  const request = () => {
    if (number % ONE_IN === 0) {
      const form = multipart(toWav(makeSamples(number, 1)), { model: 'whisper-1' });
      return post('/v1/audio/transcriptions', { authorization, 'content-type': MULTIPART_TYPE }, form);
    }
    if (number % ONE_IN === 1) {
      return post(
        '/v1/audio/speech',
        json,
        JSON.stringify({ model: 'tts-1', voice: 'alloy', input: `Job ${number}.` }),
      );
    }
    const messages = [{ role: 'user', content: `This is job ${number}.` }];
    return post('/v1/chat/completions', json, JSON.stringify({ model: 'gpt-4o', messages }));
  };
  try {
    const response = await request();
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function growthOf({ memoryMb, files }: Sampler, jobs: number): SoakReport['growth'] {
  const warm = (samples: Sample[] = []) => samples.filter((sample) => sample.jobs >= jobs * WARM_UP);
  return [...memoryMb].map(([process, samples]) => {
    const settled = valleys(warm(samples), jobs / STRETCHES);
    const growth = slopePer(PER, settled);
    const moreFiles = slopePer(PER, valleys(warm(files.get(process)), jobs / STRETCHES));
    // The database keeps what it is told to keep.
    const passes = process === 'database' || (growth <= MOST_MB && moreFiles <= MOST_FILES);
    return { process, memoryMb: growth, files: moreFiles, mb: settled.at(-1)?.value ?? 0, passes };
  });
}
