import type { Command } from 'commander';
import { withInstallation } from '../open-installation.ts';

export interface ExportOptions {
  output: string;
  username?: string;
  archive?: true;
  json?: true;
}

/** `aigolos export`. */
export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description('write everything that users have into a directory: documents, audio, a manifest')
    .requiredOption('--output <dir>', 'where to; run again with the same one, it goes on or brings it up to date')
    .option('--username <name>', 'of this user alone; of all where absent')
    .option('--archive', 'one .tar.zst a user instead of a folder')
    .option('--json', 'for machines: a line a user')
    .action(async (options: ExportOptions) => {
      const { runExport } = await import('../transfer/run-export.ts');
      await withInstallation((installation) => runExport(installation, options));
    });
}
