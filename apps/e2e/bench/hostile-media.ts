import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { audioClip } from '@aigolos/testing';
import { startStack } from '../test/stack.ts';
import { type Calls, createCalls } from './hostile-calls.ts';

/**
 * `npm run bench:hostile`: how much longer the calls of one account take while another one sends hostile files, one after
 * another. Each round has them with and without these, in turn; some minutes.
 */

/** What others wait for may take so many times as long. */
const MOST_TIMES = 1.5;
const KINDS = ['transcription', 'chat'] as const;
type Milliseconds = Record<(typeof KINDS)[number], number>;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '6' },
    calls: { type: 'string', default: '12' },
    streams: { type: 'string', default: '1' },
  },
});
const clip = { filename: 'count.wav', content: await readFile(audioClip('count')) };
const apps = ['gateway', 'worker-asr', 'worker-llm'] as const;
const stack = await startStack({ engines: 'test', apps, env: { AUDIO_MAX_SECONDS: '600', LOG_LEVEL: 'warn' } });
const senders: Sender[] = [];
const ratios = { transcription: [] as number[], chat: [] as number[] };
try {
  const { _id: account } = await stack.db.access.ensureAccount('attacker');
  const { key } = await stack.db.access.createKey({ account, role: 'user', label: 'attacker' });
  const own = createCalls(stack.url, stack.apiKey);
  for (let stream = 0; stream < Number(values.streams); stream += 1) senders.push(await startSender(stack.url, key));
  await measure(own, 3);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    // What comes first in one round comes last in the next.
    const before = round % 2 === 0 ? undefined : await measure(own, Number(values.calls));
    const attacked = await measureAttacked(own, senders);
    const alone = before ?? (await measure(own, Number(values.calls)));
    for (const kind of KINDS) ratios[kind].push(attacked.ms[kind] / alone[kind]);
    say({ round, hostileFiles: attacked.hostileFiles, attacked: attacked.ms, alone });
  }
} finally {
  for (const sender of senders) sender.end();
  await stack.stop();
}
const missed = KINDS.filter((kind) => {
  const all = ratios[kind];
  say({ kind, median: medianOf(all), least: Math.min(...all), most: Math.max(...all), aim: MOST_TIMES });
  return !(medianOf(all) <= MOST_TIMES);
});
process.stdout.write(missed.length === 0 ? 'as promised\n' : `${missed.join(' and ')} take longer than they may\n`);
process.exitCode = missed.length === 0 ? 0 : 1;

interface Sender {
  begin(): void;
  /** Resolves when the last file is answered, with how many were. */
  stop(): Promise<number>;
  end(): void;
}

async function startSender(url: string, key: string): Promise<Sender> {
  const child = fork(join(import.meta.dirname, 'hostile-sender.ts'), [url, key]);
  child.once('exit', (code) => {
    if (code) throw new Error(`who sends hostile files ended with ${code}`);
  });
  await once(child, 'message');
  return {
    begin: () => void child.send('begin'),
    async stop() {
      const answered = once(child, 'message') as Promise<[number]>;
      child.send('stop');
      return (await answered)[0];
    },
    end: () => void child.kill(),
  };
}

async function measureAttacked(own: Calls, senders: Sender[]): Promise<{ ms: Milliseconds; hostileFiles: number }> {
  for (const sender of senders) sender.begin();
  const ms = await measure(own, Number(values.calls));
  const counts = await Promise.all(senders.map((sender) => sender.stop()));
  return { ms, hostileFiles: counts.reduce((sum, count) => sum + count, 0) };
}

/** Medians of so many calls of each kind, one after another. */
async function measure(own: Calls, count: number): Promise<Milliseconds> {
  const took = { transcription: [] as number[], chat: [] as number[] };
  for (let call = 0; call < count; call += 1) {
    for (const kind of KINDS) {
      const begun = performance.now();
      const response = await (kind === 'chat' ? own.chat() : own.transcribe(clip));
      if (response.status !== 200) throw new Error(`a ${kind} ended with ${response.status}: ${await response.text()}`);
      await response.arrayBuffer();
      took[kind].push(performance.now() - begun);
    }
  }
  return { transcription: Math.round(medianOf(took.transcription)), chat: Math.round(medianOf(took.chat)) };
}

function medianOf(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

function say(finding: object): void {
  process.stdout.write(`${JSON.stringify(finding)}\n`);
}
