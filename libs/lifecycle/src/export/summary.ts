import { type Manifest, SCHEMA_VERSION } from '../archive/manifest.ts';
import type { Snapshot } from './snapshot.ts';

/** What one account's export holds. */
export interface ExportSummary {
  account: string;
  username: string;
  /** Where it lies. */
  path: string;
  documents: Manifest['documents'];
  files: number;
  /** Of documents and files together, before any compression. */
  bytes: number;
  /** Jobs that had not ended, or that only a later version understands, and were left out. */
  unfinished: number;
}

/** How far an export or an import has come, in bytes. */
export type OnProgress = (done: number, total: number) => void;

export function summarise({ account, unfinished }: Snapshot, manifest: Manifest, path: string): ExportSummary {
  const documentFiles = Object.keys(manifest.documents).length;
  return {
    account: account._id,
    username: account.username,
    path,
    documents: manifest.documents,
    files: manifest.files.length - documentFiles,
    bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
    unfinished,
  };
}

export function manifestOf({ account, counts, documents }: Snapshot, files: Manifest['files']): Manifest {
  return {
    format: 'aigolos-export',
    schemaVersion: SCHEMA_VERSION,
    account: { id: account._id, username: account.username },
    documents: counts,
    files: [...documents, ...files],
  };
}
