import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileRecord } from '@aigolos/db';
import type { Case } from './case.ts';

export function fileOf({ evidence }: Case, id: string | undefined): FileRecord | undefined {
  return evidence.files.find(({ _id }) => _id === id);
}

/** What stands in a file of an account; nothing in one that there is not. */
export async function contentOfFile(given: Case, id: string | undefined): Promise<string> {
  const file = fileOf(given, id);
  return String((file && (await bytesOf(given, file.blobKey))) ?? '');
}

export function bytesOf({ evidence }: Case, key: string): Promise<Buffer | undefined> {
  return readFile(join(evidence.blobDir, key)).catch(() => undefined);
}
