import { resolve } from 'node:path';
import { type ExportSummary, exportToDirectory, exportToFolder } from '@aigolos/lifecycle';
import { CliError } from '../cli-error.ts';
import type { ExportOptions } from '../commands/export.ts';
import type { Installation } from '../open-installation.ts';
import { interruption } from '../output/interruption.ts';
import { createReporter } from '../output/reporter.ts';
import { counted, sum } from './in-words.ts';
import { progressBar } from './progress-bar.ts';

/** Exports one user after the other. Ctrl-C ends it; the same command goes on from there. */
export async function runExport(installation: Installation, options: ExportOptions): Promise<void> {
  const { username, archive, json } = options;
  const directory = resolve(options.output);
  const accounts = await accountsOf(installation, username);
  const interrupted = interruption();
  const { signal } = interrupted;
  try {
    for (const { _id: account, username: name } of accounts) {
      const bar = progressBar(name, options);
      const shared = { account, directory, signal, onProgress: bar.update };
      try {
        const summary = archive
          ? await exportToDirectory(installation, { ...shared, workDir: installation.blobs.spoolDir })
          : await exportToFolder(installation, shared);
        bar.stop();
        if (json) console.log(JSON.stringify(summary));
        else tell(summary);
      } finally {
        bar.stop();
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    console.error('Interrupted: the same command goes on from here.');
    process.exitCode = interrupted.exitCode;
  } finally {
    interrupted.stop();
  }
}

async function accountsOf({ db }: Installation, username: string | undefined) {
  if (username !== undefined) {
    const account = await db.access.findAccount(username);
    if (!account) throw new CliError(`There is no account named "${username}".`);
    return [account];
  }
  const accounts = await Array.fromAsync(db.transfer.accounts());
  if (accounts.length === 0) throw new CliError('There is nobody to export: this installation has no accounts.');
  return accounts;
}

function tell({ username, path, documents, files, bytes, unfinished }: ExportSummary): void {
  const reporter = createReporter();
  const what = `${counted(sum(documents), 'document')}, ${counted(files, 'file')}, ${(bytes / 1e6).toFixed(1)} MB`;
  reporter.ok(username, `${what} in ${path}`);
  if (unfinished > 0)
    reporter.warn(username, `left out ${counted(unfinished, 'job')} that had not ended, or that a later version made`);
}
