import { join, resolve } from 'node:path';
import { blobConfig } from '@aigolos/runtime';
import type { CliConfig } from './config.ts';

/** Besides the addresses of the database and of Redis, these say where an installation keeps its data. */
const NAMES = ['QUEUE_PREFIX', 'BACKUP_DIR', ...Object.keys(blobConfig)];
const FOLDERS = ['BACKUP_DIR', 'BLOB_DIR'];

/** What of them the user has set. Folders are absolute, so that they mean the same to whoever reads them later. */
export function givenDataSettings({ env }: CliConfig): Record<string, string> {
  const given = NAMES.flatMap((name) => {
    const value = env[name];
    return typeof value === 'string' ? [[name, FOLDERS.includes(name) ? resolve(value) : value] as const] : [];
  });
  return Object.fromEntries(given);
}

/** Where a stack of this data folder keeps its files, unless the user says otherwise. */
export function defaultBlobDir({ paths }: CliConfig): string {
  return join(paths.home, 'blobs');
}
