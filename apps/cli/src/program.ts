import { Command } from 'commander';
import { addModelsCommand } from './commands/models.ts';
import { runTests } from './commands/test.ts';
import { readConfig } from './config.ts';
import { createReporter } from './output/reporter.ts';

/** Every command in one visible list. */
export function createProgram(): Command {
  const program = new Command('aigolos').description('Runs and looks after an installation of AIGolos.');
  addModelsCommand(program);
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
