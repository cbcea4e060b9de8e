import { CLEANUP_KINDS, type CleanupKind } from '@aigolos/contracts';
import { type Command, InvalidArgumentError } from 'commander';
import type { CleanupSummary } from '../cleanup/run-cleanup.ts';
import { CliError } from '../cli-error.ts';
import { type Installation, withInstallation } from '../open-installation.ts';

interface CleanupOptions {
  days: number;
  dryRun?: true;
  username?: string;
  kinds?: CleanupKind[];
  json?: true;
}

const DAY_MS = 24 * 60 * 60_000;

/** `aigolos cleanup`. */
export function addCleanupCommand(program: Command): void {
  program
    .command('cleanup')
    .description('remove what is old, with its files; what waits or runs is never touched')
    .option('--days <n>', 'what ended, or was last spoken in, so many days ago', wholeNumber, 90)
    .option('--dry-run', 'list what would be removed, and remove nothing')
    .option('--username <name>', 'of this account alone')
    .option('--kinds <kinds>', `some of ${CLEANUP_KINDS.join(',')}; all where absent`, kindsOf)
    .option('--json', 'the summary, too, as JSON: the last line')
    .action(cleanup);
}

async function cleanup({ days, dryRun, username, kinds = [...CLEANUP_KINDS], json }: CleanupOptions): Promise<void> {
  const before = new Date(Date.now() - days * DAY_MS);
  const { runCleanup } = await import('../cleanup/run-cleanup.ts');
  const run = async (installation: Installation) => {
    const account = await accountNamed(installation, username);
    return runCleanup(installation, { before, kinds, account }, { dryRun: dryRun ?? false, tell });
  };
  const tell = (summary: CleanupSummary) => {
    if (json) console.log(JSON.stringify({ summary }));
    else console.error(inWords(summary));
  };
  await withInstallation(run, { redis: !dryRun });
}

function inWords({ dryRun, before, items, files, bytes, byKind, left }: CleanupSummary): string {
  const kinds = Object.entries(byKind).map(([kind, count]) => `${count} ${kind}`);
  const what = items === 0 ? 'nothing' : `${kinds.join(', ')}, with ${files} files of ${bytes} bytes`;
  const done = `${dryRun ? 'would remove' : 'removed'} ${what}; older than ${before.toISOString()}`;
  if (left === 0) return done;
  return `interrupted: ${done}; ${left ?? 'many'} left, which the same command removes`;
}

async function accountNamed({ db }: Installation, username: string | undefined): Promise<string | undefined> {
  if (username === undefined) return undefined;
  const account = await db.access.findAccount(username);
  if (!account) throw new CliError(`There is no account named "${username}".`);
  return account._id;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of days, such as 90.');
  return Number(text);
}

function kindsOf(text: string): CleanupKind[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !CLEANUP_KINDS.some((kind) => kind === name));
  if (unknown.length === 0) return CLEANUP_KINDS.filter((kind) => names.includes(kind));
  throw new InvalidArgumentError(`There is no kind ${unknown.join(', ')}; the kinds are ${CLEANUP_KINDS.join(', ')}.`);
}
