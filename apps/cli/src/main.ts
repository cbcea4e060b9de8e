import { AIGolosError } from '@aigolos/contracts';
import { CliError } from './cli-error.ts';
import { createProgram } from './program.ts';

try {
  await createProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CliError || error instanceof AIGolosError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof CliError ? error.exitCode : 1;
}
