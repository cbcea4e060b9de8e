import { messageOf } from '@aigolos/runtime';
import type { CliConfig } from '../config.ts';
import { httpReady } from '../supervisor/health-checks.ts';
import { assertPortIsFree } from '../supervisor/port-check.ts';
import { isRunning } from '../supervisor/process-identity.ts';
import { readStackState, runningSupervisor, type StackState } from '../supervisor/stack-state.ts';
import type { Finding } from './finding.ts';

/** Looks at the running stack; where none runs, at whether its port is free. */
export async function checkStack({ env, paths }: CliConfig): Promise<Finding[]> {
  const supervisor = await runningSupervisor(paths.home);
  const state = readStackState(paths.home);
  if (!supervisor) return [await checkPort(env.HOST, env.PORT)];
  if (!state) return [{ name: 'stack', state: 'ok', detail: `being prepared by process ${supervisor.pid}` }];
  const summary = state.url ? `running at ${state.url}` : 'starting';
  return [
    { name: 'stack', state: 'ok', detail: `${summary}, supervised by process ${supervisor.pid}` },
    ...(await Promise.all(state.processes.map((entry) => checkProcess(entry, paths.logFile)))),
  ];
}

async function checkPort(host: string, port: number): Promise<Finding> {
  const name = 'port';
  try {
    await assertPortIsFree(host, port);
    return { name, state: 'ok', detail: `${port} is free on ${host}; no stack runs` };
  } catch (error) {
    return { name, state: 'bad', detail: messageOf(error) };
  }
}

async function checkProcess(entry: StackState['processes'][number], logFile: string): Promise<Finding> {
  const { name, identity, healthUrl } = entry;
  const detail = `process ${identity.pid}`;
  const remedy = `its log is in ${logFile}`;
  if (!(await isRunning(identity))) return { name, state: 'bad', detail: `${detail} has ended`, remedy };
  const isReady = healthUrl === undefined || (await httpReady(healthUrl).catch(() => false));
  return isReady ? { name, state: 'ok', detail } : { name, state: 'bad', detail: `${detail} is not ready`, remedy };
}
