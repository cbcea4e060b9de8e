import type { Command } from 'commander';
import { withInstallation } from '../open-installation.ts';

export interface ImportCommandOptions {
  into?: string;
  dryRun?: true;
  json?: true;
}

/** `aigolos import`. */
export function addImportCommand(program: Command): void {
  program
    .command('import')
    .description('bring in what was exported, ids kept; what is here already stays as it is')
    .argument('<path>', 'a folder or a .tar.zst of one user, or a directory of such, as export and backups make them')
    .option('--into <name>', 'add the data to this user, who is here already')
    .option('--dry-run', 'read and check everything, say what would be done, and do nothing')
    .option('--json', 'for machines: a line a user')
    .action(async (path: string, options: ImportCommandOptions) => {
      const { runImport } = await import('../transfer/run-import.ts');
      await withInstallation((installation) => runImport(installation, path, options));
    });
}
