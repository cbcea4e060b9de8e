import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogueModel, MODEL_CATALOGUE } from './catalogue.ts';
import { fingerprint } from './file-hash.ts';
import { type Manifest, type ManifestFile, readManifest } from './manifest.ts';
import type { CatalogueModel } from './model.ts';
import { withModelLock, workFolder } from './single-flight.ts';

export interface InstalledModel {
  id: string;
  folder: string;
  bytes: number;
  manifest: Manifest;
}

export interface ListedModel extends CatalogueModel {
  installed: InstalledModel | undefined;
}

/** The model if it is installed and complete. Looks at names and sizes only: hashes were checked when it came. */
export async function installedModel(id: string, modelsDir: string): Promise<InstalledModel | undefined> {
  const folder = join(modelsDir, id);
  const manifest = await readManifest(folder);
  if (manifest?.id !== id) return undefined;
  const complete = await Promise.all(manifest.installed.map((file) => hasSize(folder, file)));
  if (!complete.every(Boolean)) return undefined;
  return { id, folder, bytes: manifest.installed.reduce((sum, file) => sum + file.bytes, 0), manifest };
}

/** The catalogue, each entry with what of it is installed. */
export async function listModels(modelsDir: string): Promise<ListedModel[]> {
  return Promise.all(
    MODEL_CATALOGUE.map(async (model) => ({ ...model, installed: await installedModel(model.id, modelsDir) })),
  );
}

/**
 * Reads an installed model to the last byte.
 * @returns what is wrong with it, a sentence each; empty where it is as it came.
 */
export async function verifyModel(id: string, modelsDir: string, signal?: AbortSignal): Promise<string[]> {
  catalogueModel(id);
  const folder = join(modelsDir, id);
  const manifest = await readManifest(folder);
  if (!manifest) return [`${id} is not installed.`];
  const problems: string[] = [];
  for (const file of manifest.installed) {
    const found = await fingerprint(join(folder, file.path), signal).catch(() => undefined);
    signal?.throwIfAborted();
    if (!found) problems.push(`${id}: ${file.path} is missing.`);
    else if (found.sha256 !== file.sha256) problems.push(`${id}: ${file.path} has changed since it was installed.`);
  }
  return problems;
}

/** Removes an installed model, and what an unfinished download of it left. @returns whether there was something. */
export async function removeModel(id: string, modelsDir: string): Promise<boolean> {
  catalogueModel(id);
  return withModelLock({ id, modelsDir }, async () => {
    const folder = join(modelsDir, id);
    const existed = await stat(folder).then(
      () => true,
      () => false,
    );
    const work = workFolder(id, modelsDir);
    await rm(work, { recursive: true, force: true });
    // Moved away first: who loads models never sees half a folder.
    if (existed) await rename(folder, work);
    await rm(work, { recursive: true, force: true });
    return existed;
  });
}

async function hasSize(folder: string, file: ManifestFile): Promise<boolean> {
  const stats = await stat(join(folder, file.path)).catch(() => undefined);
  return stats !== undefined && (stats.isDirectory() || stats.size === file.bytes);
}
