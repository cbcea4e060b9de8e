import { openAsBlob } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { messageOf } from '@aigolos/runtime';
import type { UploadFile } from '@aigolos/sdk';
import { CliError } from '../cli-error.ts';
import { EXIT } from './exit-codes.ts';

/** Stands for what is piped in, and for what is piped out. */
export const PIPE = '-';

/** A file to send, not read yet. @throws CliError where there is none. */
export async function openFile(path: string): Promise<{ file: UploadFile; fileName: string }> {
  if (path === PIPE) return { file: Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>, fileName: 'stdin' };
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is no file');
    return { file: await openAsBlob(path), fileName: basename(path) };
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** A text: the words of the command line, or what is piped in where they are `-`. */
export async function readWords(words: string[]): Promise<string> {
  return words.length === 1 && words[0] === PIPE ? text(process.stdin) : words.join(' ');
}

export async function readText(path: string): Promise<string> {
  if (path === PIPE) return text(process.stdin);
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

function unreadable(path: string, error: unknown): CliError {
  return new CliError(`${path} cannot be read: ${messageOf(error)}`, EXIT.wrongUse);
}
