import { CliError } from '../cli-error.ts';

export function noSuchJob(id: string): CliError {
  return new CliError(
    `There is no job ${id}: it was never there, or its time came and it was deleted. \`aigolos jobs list\` shows those there are.`,
  );
}
