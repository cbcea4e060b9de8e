import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../stub.fake.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';
import { claimHome, readStackState, releaseHome, runningSupervisor, writeStackState } from './stack-state.ts';

const STATE = {
  redisUrl: 'redis://r',
  mongoUrl: 'mongodb://m',
  settings: { BLOB_DIR: '/b' },
  startedAt: new Date(0).toISOString(),
};

/** A process that leads a group and has a mark of its own in its command line. */
async function startMarked(mark: string): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log()', mark], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, marks: [mark] };
}

describe('claimHome', () => {
  it('gives a data folder to one supervisor at a time', async () => {
    const home = await temporaryFolder();
    const marks = [process.argv[1] ?? ''];
    expect(await claimHome(home, marks)).toEqual([]);
    expect(await claimHome(home, marks)).toBeUndefined();
    expect(await runningSupervisor(home)).toMatchObject({ pid: process.pid });
    releaseHome(home);
    expect(await claimHome(home, marks)).toEqual([]);
  });

  it('takes over from a killed supervisor and ends what it left running', async () => {
    const home = await temporaryFolder();
    const left = await startMarked('left-over-of-aigolos');
    await claimHome(home, ['a process that does not run']);
    writeStackState(home, { ...STATE, processes: [{ name: 'redis', identity: left }] });
    expect(await claimHome(home, [process.argv[1] ?? ''])).toEqual(['redis']);
    expect(await isRunning(left)).toBe(false);
  });

  it("leaves a process alone that has got a dead one's number", async () => {
    const home = await temporaryFolder();
    const stranger = await startMarked('a-stranger');
    await claimHome(home, ['a process that does not run']);
    const processes = [{ name: 'redis', identity: { pid: stranger.pid, marks: ['redis-server'] } }];
    writeStackState(home, { ...STATE, processes });
    expect(await claimHome(home, [process.argv[1] ?? ''])).toEqual([]);
    expect(await isRunning(stranger)).toBe(true);
  });
});

describe('the state of a stack', () => {
  it('is readable by its owner alone, and by other commands as it was written', async () => {
    const home = await temporaryFolder();
    const state = { ...STATE, url: 'http://here', processes: [] };
    writeStackState(home, state);
    expect(readStackState(home)).toEqual(state);
    expect((await stat(join(home, 'stack.json'))).mode & 0o777).toBe(0o600);
  });
});
