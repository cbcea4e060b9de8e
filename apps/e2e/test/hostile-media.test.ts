import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { childRunning, type HostileFile, makeHostileFiles, residentBytes } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from './stack.ts';

const AT_ONCE = 2;
const MOST_MS = 10_000;
const MOST_GROWTH_BYTES = 256 * 1024 ** 2;
const SAMPLE_EVERY_MS = 50;
const PROCESSES = ['gateway', 'worker-asr'] as const;

interface Ending {
  name: string;
  outcome: HostileFile['outcome'];
  status: number;
  code: string;
  message: string;
  ms: number;
  job: string | null;
}

let stack: Stack;
let files: HostileFile[];
let endings: Ending[];
/** By how much each process grew at most. */
const growth = new Map<string, number>();
const pids = new Map<string, number>();

beforeAll(async () => {
  files = await makeHostileFiles();
  const env = { AUDIO_MAX_SECONDS: '600', FFMPEG_CPU_SECONDS: '1', CONCURRENCY: '2' };
  stack = await startStack({ engines: 'test', apps: PROCESSES, env });
  await send('/v1/audio/transcriptions', sound());
  for (const name of PROCESSES) pids.set(name, stack.app(name).pid);
  endings = await whileWatched(() => sendAll(files));
});
afterAll(() => stack?.stop());

/** One that is in order: what comes before and after the others. */
function sound(): HostileFile {
  const file = files.find(({ name }) => name === 'a WAV of 10,000 lists');
  if (!file) throw new Error('the corpus has changed');
  return file;
}

async function send(path: string, { name, filename, content, outcome }: HostileFile): Promise<Ending> {
  const form = new FormData();
  form.append('model', 'whisper-1');
  form.append('file', new Blob([new Uint8Array(content)]), filename);
  const begun = performance.now();
  const headers = { authorization: `Bearer ${stack.apiKey}` };
  const response = await fetch(`${stack.url}${path}`, { method: 'POST', body: form, headers });
  const body = (await response.json()) as { error?: { code: string; message: string } };
  return {
    name,
    outcome,
    status: response.status,
    code: body.error?.code ?? '',
    message: body.error?.message ?? '',
    ms: Math.round(performance.now() - begun),
    job: response.headers.get('x-job-id'),
  };
}

async function sendAll(all: HostileFile[]): Promise<Ending[]> {
  const waiting = all.values();
  const sender = async () => {
    const ended: Ending[] = [];
    for (const file of waiting) ended.push(await send('/v1/audio/transcriptions', file));
    return ended;
  };
  return (await Promise.all(Array.from({ length: AT_ONCE }, sender))).flat();
}

async function whileWatched<T>(work: () => Promise<T>): Promise<T> {
  const before = new Map<string, number>();
  for (const [name, pid] of pids) before.set(name, await residentBytes(pid));
  const sample = async () => {
    for (const [name, pid] of pids) {
      const grown = (await residentBytes(pid)) - (before.get(name) ?? 0);
      growth.set(name, Math.max(growth.get(name) ?? 0, grown));
    }
  };
  const sampling = setInterval(() => void sample(), SAMPLE_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(sampling);
    await sample();
  }
}

test('each ends with a refusal that says why, or is heard where there is something to hear', () => {
  expect(endings.length).toBeGreaterThan(90);
  const refused = ({ status, code, message }: Ending) =>
    status === 400 && code.startsWith('audio_') && message.length > 20;
  const heard = ({ status }: Ending) => status === 200;
  const isRight = (ending: Ending) =>
    (ending.outcome !== 'refused' && heard(ending)) || (ending.outcome !== 'heard' && refused(ending));
  expect(endings.filter((ending) => !isRight(ending))).toEqual([]);
});

test('each ends within ten seconds', () => {
  expect(endings.filter(({ ms }) => ms > MOST_MS)).toEqual([]);
});

test('what lasts longer than it says is counted while it is decoded', () => {
  const lying = endings.find(({ name }) => name.startsWith('a FLAC of twenty minutes'));
  expect(lying).toMatchObject({ code: 'audio_too_long', message: expect.stringContaining('limit of 600 s') });
});

test('no process has died, grown by more than 256 MB, or left an ffmpeg', async () => {
  for (const name of PROCESSES) {
    const pid = pids.get(name) ?? 0;
    expect(stack.app(name).pid).toBe(pid);
    expect((await fetch(`${stack.app(name).url}/readyz`)).status).toBe(200);
    expect(growth.get(name)).toBeLessThan(MOST_GROWTH_BYTES);
    await expect(childRunning('ff', pid)).rejects.toThrow('0 children run ff');
  }
  expect(await send('/v1/audio/transcriptions', sound())).toMatchObject({ status: 200 });
});

test('the other routes that take audio refuse the same with the same words', async () => {
  for (const file of files.filter(({ outcome }) => outcome === 'refused').slice(-12)) {
    const { code, message } = endings.find(({ name }) => name === file.name) ?? {};
    for (const path of ['/v1/audio/translations', '/v1/voice/turns']) {
      expect(await send(path, file), `${path}: ${file.name}`).toMatchObject({ status: 400, code, message });
    }
  }
});

test('no file is left of what was refused, and none of the others once their jobs are deleted', async () => {
  const { data } = (await (await stack.fetch('/v1/jobs?limit=100')).json()) as { data: { id: string }[] };
  const ids = data.map(({ id }) => id);
  const blobs = await readdir(join(stack.blobDir, 'blobs'));
  expect(blobs.filter((id) => !ids.includes(id))).toEqual([]);
  expect(await readdir(join(stack.blobDir, 'spool'))).toEqual([]);
  for (const id of ids) {
    expect((await stack.fetch(`/v1/jobs/${id}`, { method: 'DELETE' })).status).toBe(200);
    await stack.untilBlobsAreGone(id);
  }
});
