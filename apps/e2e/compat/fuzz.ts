import { clientsProgram } from '@aigolos/testing';
import { execa } from 'execa';
import type { Stack } from '../test/stack.ts';

export interface FuzzOptions {
  stack: Pick<Stack, 'url' | 'apiKey'>;
  /** Requests of each kind that are made for an operation. */
  examples: number;
  /** What it may take at most, in seconds. */
  seconds: number;
  /** Operations that are left out, as a regular expression over their paths. */
  exclude?: string;
}

/**
 * Has schemathesis make requests from our own API description, valid ones and others, on their own and one after another,
 * and hold the answers to it. What it found is in `output`.
 */
export async function fuzzApi({ stack, examples, seconds, exclude }: FuzzOptions): Promise<{ failed: boolean; output: string }> {
  const args = [
    ...['run', `${stack.url}/openapi.json`],
    ...['--header', `Authorization: Bearer ${stack.apiKey}`],
    ...['--checks', 'all', '--phases', 'examples,coverage,fuzzing,stateful'],
    ...['--max-examples', String(examples), '--max-time', String(seconds)],
    ...['--workers', '2', '--request-timeout', '60', '--no-color', '--generation-deterministic', '--continue-on-failure'],
    ...(exclude === undefined ? [] : ['--exclude-path-regex', exclude]),
  ];
  const run = await execa(clientsProgram('schemathesis'), args, { reject: false, all: true, stdin: 'ignore' });
  return { failed: run.exitCode !== 0, output: run.all };
}
