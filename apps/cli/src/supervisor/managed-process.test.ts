import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { temporaryFolder } from '../stub.fake.ts';
import { accepts } from './health-checks.ts';
import type { LogLine } from './log-line.ts';
import { type SupervisionOptions, superviseProcess } from './managed-process.ts';
import { isRunning } from './process-identity.ts';
import type { ProcessSpec } from './run-process.ts';

let folder: string;
let lines: LogLine[];

beforeEach(async () => {
  folder = await temporaryFolder();
  lines = [];
});

/** Supervises a script; it is healthy as soon as it has written the file `up`, unless something else is said. */
async function supervise(script: string, spec: Partial<ProcessSpec> = {}, options: Partial<SupervisionOptions> = {}) {
  const path = join(folder, 'script.mjs');
  await writeFile(path, `import fs from 'node:fs'; const folder = ${JSON.stringify(folder)};\n${script}`);
  const managed = superviseProcess(
    {
      name: 'toy',
      command: process.execPath,
      args: [path],
      env: {},
      ipc: false,
      marks: [path],
      graceMs: 5_000,
      isHealthy: async () => (await readFile(join(folder, 'up'), 'utf8')) !== '',
      ...spec,
    },
    { onLine: (line) => lines.push(line), onStarted: () => {}, restartBaseMs: 20, ...options },
  );
  onTestFinished(() => managed.stop());
  return managed;
}

const texts = () => lines.map(({ text }) => text);
const waits = () =>
  texts()
    .flatMap((text) => /starting again in ([\d.]+) s/.exec(text)?.[1] ?? [])
    .map(Number);
const UP_AND_STAY = `fs.writeFileSync(folder + '/up', String(process.pid)); setInterval(() => {}, 1000);`;

describe('superviseProcess', () => {
  it('starts a process again when it was killed', async () => {
    const managed = await supervise(UP_AND_STAY);
    await managed.start();
    const first = managed.identity?.pid ?? 0;
    process.kill(first, 'SIGKILL');
    await vi.waitFor(() => expect(managed.identity?.pid).toBeGreaterThan(0), 5_000);
    await vi.waitFor(async () => expect(await readFile(join(folder, 'up'), 'utf8')).not.toBe(String(first)), 5_000);
    expect(texts()).toContain('ended (SIGKILL); starting again in 0.02 s');
  });

  it('waits twice as long before each restart, up to a limit', async () => {
    const managed = await supervise(
      `fs.writeFileSync(folder + '/up', 'x'); setTimeout(() => process.exit(3), 150);`,
      {},
      { restartMaxMs: 80 },
    );
    await managed.start();
    await vi.waitFor(() => expect(waits()).toHaveLength(4), 10_000);
    expect(waits()).toEqual([0.02, 0.04, 0.08, 0.08]);
  });

  it('begins with the short wait again after a healthy time', async () => {
    const managed = await supervise(
      `fs.writeFileSync(folder + '/up', 'x'); setTimeout(() => process.exit(3), 400);`,
      {},
      { healthyMs: 50 },
    );
    await managed.start();
    await vi.waitFor(() => expect(waits()).toHaveLength(3), 10_000);
    expect(waits()).toEqual([0.02, 0.02, 0.02]);
  });

  it('gives up with its last words when a process never gets healthy', async () => {
    const managed = await supervise(`console.error('no such database'); process.exit(7);`);
    await expect(managed.start()).rejects.toThrow('toy does not start (it ended with code 7): no such database');
    expect(managed.identity).toBeUndefined();
  });

  it('gives up on a program that does not exist', async () => {
    const managed = await supervise('', { command: '/nowhere/toy' });
    await expect(managed.start()).rejects.toThrow(/toy does not start .*ENOENT/);
  });

  it('gives up on a process that hangs before it is healthy', async () => {
    const managed = await supervise('setInterval(() => {}, 1000);', {}, { startTimeoutMs: 200 });
    await expect(managed.start()).rejects.toThrow('toy is not ready after 0.2 s');
  });

  it('kills a process that does not stop in time', async () => {
    const managed = await supervise(`process.on('SIGTERM', () => {}); ${UP_AND_STAY}`, { graceMs: 100 });
    await managed.start();
    const identity = managed.identity ?? { pid: 0, marks: [] };
    await managed.stop();
    expect(await isRunning(identity)).toBe(false);
  });

  it('lets a process stop in its own time, and hears its last words', async () => {
    const managed = await supervise(
      `process.on('SIGTERM', () => setTimeout(() => { console.log('bye'); process.exit(); }, 100)); ${UP_AND_STAY}`,
    );
    await managed.start();
    await managed.stop();
    expect(texts()).toEqual(['bye']);
  });

  it('ends what a process started and left behind', async () => {
    const child = `require('node:net').createServer().listen(0, function () { require('node:fs').writeFileSync(process.argv[1], String(this.address().port)); })`;
    const managed = await supervise(
      `import { spawn } from 'node:child_process';
       spawn(process.execPath, ['-e', ${JSON.stringify(child)}, folder + '/up'], { stdio: 'inherit' }); setInterval(() => {}, 1000);`,
    );
    await managed.start();
    const port = Number(await readFile(join(folder, 'up'), 'utf8'));
    expect(await accepts(port)).toBe(true);
    process.kill(managed.identity?.pid ?? 0, 'SIGKILL');
    await vi.waitFor(async () => expect(await accepts(port)).toBe(false), 5_000);
  });

  it('passes nothing of its own environment on', async () => {
    vi.stubEnv('SECRET_OF_THE_SUPERVISOR', '1');
    onTestFinished(() => void vi.unstubAllEnvs());
    const managed = await supervise(
      `fs.writeFileSync(folder + '/up', JSON.stringify(process.env)); setInterval(() => {}, 1000);`,
      { env: { GIVEN: '2' } },
    );
    await managed.start();
    const env = JSON.parse(await readFile(join(folder, 'up'), 'utf8')) as object;
    expect(env).toHaveProperty('GIVEN', '2');
    expect(env).not.toHaveProperty('SECRET_OF_THE_SUPERVISOR');
  });
});
