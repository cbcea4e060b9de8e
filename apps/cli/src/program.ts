import { Command } from 'commander';
import { addAccountsCommand } from './commands/accounts.ts';
import { addCallCommands } from './commands/calls.ts';
import { addCleanupCommand } from './commands/cleanup.ts';
import { doctor } from './commands/doctor.ts';
import { addEraseCommand } from './commands/erase.ts';
import { addExportCommand } from './commands/export.ts';
import { addImportCommand } from './commands/import.ts';
import { addJobsCommand } from './commands/jobs.ts';
import { addKeysCommand } from './commands/keys.ts';
import { addListenCommand } from './commands/listen.ts';
import { addModelsCommand } from './commands/models.ts';
import { addReceiptsCommand } from './commands/receipts.ts';
import { reset } from './commands/reset.ts';
import { runTests } from './commands/test.ts';
import { up } from './commands/up.ts';
import { readConfig } from './config.ts';
import { createReporter } from './output/reporter.ts';

/** Every command in one visible list. */
export function createProgram(): Command {
  const program = new Command('aigolos').description('Runs and looks after an installation of AIGolos.');
  program.command('up').description('prepare this machine and start everything; Ctrl-C stops it').action(up);
  program
    .command('demo')
    .description('a voice turn from speech to speech, on the running stack or on one started for it')
    .argument('[file]', 'audio of your own; a speech of Kennedy where absent')
    .option('--json', 'the report for machines')
    .action(async (file: string | undefined, options: { json?: boolean }) => {
      // Loaded when it is asked for: the client is of no use to the other commands.
      const { demo } = await import('./commands/demo.ts');
      await demo(file, options);
    });
  addCallCommands(program);
  program
    .command('doctor')
    .description('say what is wrong with this machine or the running stack, and what to do')
    .option('--json', 'for machines')
    .option('--repair', 'mend the data that does not fit together; takes about a minute')
    .action(doctor);
  addModelsCommand(program);
  addKeysCommand(program);
  addAccountsCommand(program);
  addJobsCommand(program);
  addCleanupCommand(program);
  addExportCommand(program);
  addImportCommand(program);
  addEraseCommand(program);
  addReceiptsCommand(program);
  addListenCommand(program);
  program
    .command('reset')
    .description('remove all data of this installation')
    .option('--all', 'the downloaded models and Python environments too')
    .action(async ({ all = false }: { all?: boolean }) => reset(readConfig(), createReporter(), { all }));
  program
    .command('test')
    .description('prepare what tests need and run all checks; arguments go to nx run-many')
    .argument('[args...]')
    .allowUnknownOption()
    .action(async (args: string[]) => {
      process.exitCode = await runTests(readConfig(), createReporter(), args);
    });
  return program;
}
