import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Fingerprint } from './file-hash.ts';
import type { ManifestFile } from './manifest.ts';

const PinsSchema = z.record(z.string(), z.object({ bytes: z.number().int(), sha256: z.string() }));

/** Sizes and hashes of a model's files that the catalogue does not know, as they were when first fetched. */
export async function readPins(modelsDir: string, id: string): Promise<Record<string, Fingerprint>> {
  const text = await readFile(pinsPath(modelsDir, id), 'utf8').catch(() => '{}');
  return PinsSchema.parse(JSON.parse(text));
}

/** Remembers what a model's files were; outlives the model's removal. A file that is pinned already keeps its pin. */
export async function addPins(modelsDir: string, id: string, files: ManifestFile[]): Promise<void> {
  if (files.length === 0) return;
  const added = Object.fromEntries(files.map(({ path, bytes, sha256 }) => [path, { bytes, sha256 }]));
  const path = pinsPath(modelsDir, id);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify({ ...added, ...(await readPins(modelsDir, id)) }, null, 2)}\n`);
}

function pinsPath(modelsDir: string, id: string): string {
  return join(modelsDir, '.pins', `${id}.json`);
}
