import { existsSync } from 'node:fs';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { watchForSecrets } from '@aigolos/testing';
import { execa } from 'execa';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { isRunning } from '../src/supervisor/process-identity.ts';
import { readStackState, type StackState } from '../src/supervisor/stack-state.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const START_TIMEOUT_MS = 90_000;
const APPS = ['gateway', 'worker-asr', 'worker-llm', 'worker-maintenance', 'worker-tts', 'worker-webhooks'];

let home: string;
let env: Record<string, string>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aigolos-up-'));
  const engines = { ASR_ENGINE: 'test', LLM_ENGINE: 'test', TTS_ENGINE: 'test' };
  env = { AIGOLOS_HOME: home, PORT: String(await getPort()), DRAIN_GRACE_MS: '500', ...engines };
});
afterAll(() => rm(home, { recursive: true, force: true }));

function aigolos(args: string[], more: Record<string, string> = {}) {
  // Stopping everything takes as long as it takes on a busy machine; after five seconds it would be killed.
  const ends = { reject: false, forceKillAfterDelay: false } as const;
  return execa(process.execPath, [MAIN, ...args], { env: { ...env, ...more }, ...ends, all: true, ipc: true });
}

/** Starts the stack and resolves when it says that it is ready. */
async function up() {
  const running = aigolos(['up']);
  onTestFinished(async () => {
    running.kill('SIGTERM');
    await running;
    // Gone where the test has made everything forgotten.
    const log = join(home, 'logs', 'aigolos.log');
    if (existsSync(log)) watchForSecrets('log of the stack', await readFile(log, 'utf8'));
  });
  const ready = Promise.withResolvers<void>();
  createInterface({ input: running.stdout }).on('line', (line) => {
    if (line.includes('Ctrl-C stops everything')) ready.resolve();
  });
  void running.then(({ all }) => ready.reject(new Error(`up ended: ${all}`)));
  await ready.promise;
  // Within an object: a process is a promise of its end, which would be awaited.
  return { running };
}

function stackState(): StackState {
  const state = readStackState(home);
  if (!state) throw new Error('no stack runs');
  return state;
}

async function runningOf(state: StackState): Promise<string[]> {
  const alive = await Promise.all(state.processes.map(({ identity }) => isRunning(identity)));
  return state.processes.filter((_, index) => alive[index]).map(({ name }) => name);
}

/** A receiver registers itself, hears of a job, and leaves no endpoint behind. */
async function hearsOfAJob(url: string, key: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const listening = aigolos(['listen', '--port', '0']);
  const heard: string[] = [];
  createInterface({ input: listening.stdout }).on('line', (line) => heard.push(line));
  await vi.waitFor(() => expect(heard.join('\n')).toContain('Listening at'), 10_000);
  const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] });
  const { id } = (await (await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })).json()) as {
    id: string;
  };
  await vi.waitFor(() => expect(heard.join('\n')).toContain(`✓ job.completed  ${id}`), 10_000);
  listening.kill('SIGINT');
  expect(await listening).toMatchObject({ exitCode: 0, all: expect.not.stringMatching(/refused|whsec_/) });
  const left = (await (await fetch(`${url}/v1/webhook_endpoints`, { headers })).json()) as { data: unknown[] };
  expect(left.data).toEqual([]);
}

describe('aigolos up', { timeout: START_TIMEOUT_MS }, () => {
  it('starts everything, is found by other commands, mends what breaks, and leaves nothing running', async () => {
    const { running } = await up();
    const state = stackState();
    expect((await runningOf(state)).toSorted()).toEqual([...APPS, 'redis', 'secantusdb'].toSorted());
    const key = (await readFile(join(home, 'api-key'), 'utf8')).trim();
    const models = await fetch(`${state.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    expect(models.status).toBe(200);

    await hearsOfAJob(state.url ?? '', key);

    const second = await aigolos(['up']);
    expect(second).toMatchObject({ exitCode: 0, all: expect.stringContaining(`already running at ${state.url}`) });
    const refused = await aigolos(['reset']);
    expect(refused).toMatchObject({ exitCode: 1, all: expect.stringMatching(/^The stack is running .*Ctrl-C/) });

    const pidOfLlm = () => stackState().processes.find(({ name }) => name === 'worker-llm')?.identity.pid;
    const killed = pidOfLlm() ?? 0;
    process.kill(killed, 'SIGKILL');
    await vi.waitFor(() => expect(pidOfLlm()).not.toBe(killed), 10_000);
    const untilHealthy = { timeout: 30_000, interval: 500 };
    await vi.waitFor(async () => expect(await aigolos(['doctor'])).toMatchObject({ exitCode: 0 }), untilHealthy);

    const before = stackState();
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(0);
    expect(await runningOf(before)).toEqual([]);
    await expect(access(join(home, 'stack.json'))).rejects.toThrow('ENOENT');
  });

  it('leaves no orphan when the supervisor is killed, takes up data and key again, and stops when who started it is gone', async () => {
    const { running } = await up();
    const state = stackState();
    const key = await readFile(join(home, 'api-key'), 'utf8');
    running.kill('SIGKILL');
    await running;
    await vi.waitFor(async () => expect(await runningOf(state)).toEqual([]), { timeout: 20_000, interval: 200 });

    const { running: again } = await up();
    expect(await readFile(join(home, 'api-key'), 'utf8')).toBe(key);
    const asked = await fetch(`${stackState().url}/v1/models`, { headers: { authorization: `Bearer ${key.trim()}` } });
    expect(asked.status).toBe(200);

    const restarted = stackState();
    again.nodeChildProcess.disconnect();
    expect((await again).exitCode).toBe(0);
    expect(await runningOf(restarted)).toEqual([]);
  });

  it('says in one sentence that its port is taken, and leaves nothing behind', async () => {
    const server = createServer();
    const port = await getPort();
    await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const refused = await aigolos(['up'], { PORT: String(port) });
    expect(refused.exitCode).toBe(1);
    expect(refused.all).toMatch(new RegExp(`^Port ${port} is taken by another program: .*PORT=\\d+ npm start$`));
    await expect(access(join(home, 'supervisor.json'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['REDIS_URL', 'redis://127.0.0.1:9', 'The Redis at 127.0.0.1:9 does not answer'],
    ['MONGO_URL', 'mongodb://127.0.0.1:9/x', 'The MongoDB at 127.0.0.1:9 does not answer'],
  ])('says in one sentence that the server of %s does not answer', async (name, url, sentence) => {
    const refused = await aigolos(['up'], { [name]: url });
    expect(refused.exitCode).toBe(1);
    expect(refused.all?.split('\n').at(-1)).toContain(sentence);
    expect(refused.all).not.toMatch(/^\s+at /m);
  });

  it('removes all of its data, and nothing of anybody else', async () => {
    await writeFile(join(home, 'notes.txt'), 'mine');
    expect((await aigolos(['reset'])).exitCode).toBe(0);
    expect(await readdir(home)).toEqual(['notes.txt']);
  });
});
