import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '@aigolos/runtime';
import { CliError } from '../cli-error.ts';
import { EXIT } from './exit-codes.ts';
import { PIPE } from './read-input.ts';

/** A text on stdout, which ends with a line break. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/**
 * The body of an answer into a file, which is there when it is whole; or to stdout.
 * @throws CliError where it cannot be written.
 */
export async function save(response: Response, path: string, signal: AbortSignal): Promise<void> {
  const body = Readable.fromWeb(response.body as import('node:stream/web').ReadableStream);
  if (path === PIPE) return pipeline(body, process.stdout, { end: false, signal });
  const half = `${path}.part`;
  try {
    await pipeline(body, createWriteStream(half), { signal });
    await rename(half, path);
  } catch (error) {
    await rm(half, { force: true });
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new CliError(`${path} cannot be written: ${messageOf(error)}`, EXIT.wrongUse);
  }
}

/** Where sound goes. @throws CliError where that would be a terminal. */
export function soundTarget(output: string | undefined): string {
  if (output !== undefined) return output;
  if (!process.stdout.isTTY) return PIPE;
  throw new CliError('Name a file for the sound with -o, or pipe it to a program.', EXIT.wrongUse);
}
