import { createInterface } from 'node:readline/promises';
import type { JobRecord } from '@aigolos/db';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { type Installation, withInstallation } from '../open-installation.ts';
import { interruption } from '../output/interruption.ts';

interface EraseOptions {
  username: string;
  dryRun?: true;
  yes?: true;
  json?: true;
}

/** `aigolos erase`. */
export function addEraseCommand(program: Command): void {
  program
    .command('erase')
    .description('remove an account with everything it has, and give a signed receipt')
    .requiredOption('--username <name>', 'whose')
    .option('--dry-run', 'list what would be removed, and remove nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'with the receipt, what was removed; a line of JSON')
    .action(erase);
}

async function erase(options: EraseOptions): Promise<void> {
  const { username, dryRun } = options;
  const run = async (installation: Installation) => {
    const account = await installation.db.access.findAccount(username);
    if (!account) throw new CliError(`There is no account named "${username}".`);
    return dryRun ? plan(installation, account._id) : eraseAccount(installation, account._id, options);
  };
  await withInstallation(run, { redis: !dryRun });
}

async function plan(installation: Installation, account: string): Promise<void> {
  const { planErasure } = await import('@aigolos/lifecycle');
  const interrupted = interruption();
  const counts: Record<string, number> = {};
  let bytes = 0;
  try {
    for await (const part of planErasure(installation, account, interrupted.signal)) {
      console.log(JSON.stringify(part));
      counts[part.kind] = (counts[part.kind] ?? 0) + 1;
      bytes += part.bytes ?? 0;
    }
  } finally {
    interrupted.stop();
  }
  console.error(`would remove ${inWords(counts)}; files of ${bytes} bytes`);
}

async function eraseAccount(installation: Installation, account: string, options: EraseOptions): Promise<void> {
  if (!options.yes) await confirm(options.username);
  const { runErasure } = await import('../erase/run-erasure.ts');
  const interrupted = interruption();
  try {
    const { signal } = interrupted;
    const erasure = await runErasure(installation, account, { signal, tell: (line) => console.error(line) });
    tellEnd(erasure, options);
    if (!erasure.result) process.exitCode = interrupted.exitCode;
  } finally {
    interrupted.stop();
  }
}

function tellEnd({ _id: id, result }: JobRecord<'erasure'>, { json }: EraseOptions): void {
  if (!result) {
    return console.error(`interrupted: erasure ${id} has begun; worker-maintenance goes on, or the same command`);
  }
  console.error(`removed ${inWords(result.removed)}; the receipt of erasure ${id}:`);
  console.log(json ? JSON.stringify({ erasure: id, ...result }) : result.receipt);
}

function inWords(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}

/** @throws CliError where nobody can be asked, or who is asked does not mean it. */
async function confirm(username: string): Promise<void> {
  if (!process.stdin.isTTY) throw new CliError('Nobody can be asked here: add --yes to erase without asking.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal
    .question(`Everything of "${username}" will be removed for good. Type the name to go on: `)
    .finally(() => terminal.close());
  if (answer !== username) throw new CliError('Nothing was removed.');
}
