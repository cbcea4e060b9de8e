import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MODEL_CATALOGUE } from '@aigolos/engines/catalogue';
import { CliError } from '../cli-error.ts';
import type { CliConfig } from '../config.ts';
import type { Reporter } from '../output/reporter.ts';
import { runningSupervisor } from '../supervisor/stack-state.ts';

/** Everything that a stack makes in its data folder. Nothing else is removed: the folder may be one that the user named. */
const OWN_ENTRIES = [
  'admin-key',
  'api-key',
  'blobs',
  'demo',
  'logs',
  'mongod',
  'mongodb',
  'mongodb-port',
  'redis',
  'secantusdb',
  'stack.json',
  'supervisor.json',
];

/**
 * Removes all data of this installation; with `all` the models and the Python environments too.
 * @throws CliError while the stack runs.
 */
export async function reset(config: CliConfig, reporter: Reporter, { all }: { all: boolean }): Promise<void> {
  const { home, models, python } = config.paths;
  const supervisor = await runningSupervisor(home);
  if (supervisor) {
    throw new CliError(`The stack is running (process ${supervisor.pid}): stop it with Ctrl-C in its terminal first.`);
  }
  await removeEntries(home, OWN_ENTRIES);
  reporter.ok('data', `removed from ${home}`);
  if (!all) return;
  await removeEntries(models, ['.work', '.pins', ...MODEL_CATALOGUE.map(({ id }) => id)]);
  reporter.ok('models', `removed from ${models}`);
  await removeEntries(python, await readdir(python).catch(() => []));
  reporter.ok('Python environments', `removed from ${python}`);
}

async function removeEntries(folder: string, names: string[]): Promise<void> {
  for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
  // The folder goes too, unless there is something of somebody else's in it.
  await rmdir(folder).catch(() => {});
}
