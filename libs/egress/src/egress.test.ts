import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createEgress } from './egress.ts';
import { createEgressRules } from './egress-rules.ts';

const LISTEN = `
  const server = require('node:net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    console.log(String(server.address().port));
  });`;
/** More than Linux keeps for a listener with a backlog of one. */
const CALLERS = 4;

/** A port whose listener takes nobody any more: its process stands still, and its queue is full. */
async function deafPort(): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (!child.stdout) throw new Error('the listener has no output');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  child.kill('SIGSTOP');
  const port = Number(line);
  const callers = Array.from({ length: CALLERS }, () => connect(port, '127.0.0.1').on('error', () => {}));
  onTestFinished(() => {
    for (const caller of callers) caller.destroy();
  });
  await sleep(200);
  expect(callers.filter((caller) => caller.connecting)).not.toEqual([]);
  return port;
}

test('a host that answers no connection is given up, long before an answer would be', async () => {
  const egress = createEgress(createEgressRules({ networks: ['127.0.0.0/8'] }));
  const url = new URL(`http://127.0.0.1:${await deafPort()}/`);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { signal } = new AbortController();
  const outcome = egress.request(url, { method: 'GET', headers: {}, signal }).catch((error: unknown) => error);
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await outcome).toEqual(new Error('no connection in time'));
});
