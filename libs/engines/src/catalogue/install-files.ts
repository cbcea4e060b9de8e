import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fingerprint, fingerprint } from './file-hash.ts';
import { type ManifestFile, writeManifest } from './manifest.ts';
import type { CatalogueModel } from './model.ts';
import { addPins, readPins } from './pins.ts';
import { preparePiperVoice } from './prepare-piper.ts';
import type { FetchContext } from './sources/fetch-context.ts';

/** What is known of each file before it is fetched: by the catalogue, else by what it was when first fetched. */
export async function expectedFingerprints(
  model: CatalogueModel,
  modelsDir: string,
): Promise<Map<string, Partial<Fingerprint>>> {
  const pins = await readPins(modelsDir, model.id);
  const known = ({ bytes, sha256 }: Partial<Fingerprint>) => ({
    ...(bytes === undefined ? {} : { bytes }),
    ...(sha256 === undefined ? {} : { sha256 }),
  });
  return new Map(model.files.map((file) => [file.path, { ...pins[file.path], ...known(file) }]));
}

/** Compares every file with what is known of it, and removes one that is wrong so that it is not used again. */
export async function checkFiles({ model, targetDir, expected, signal }: FetchContext): Promise<ManifestFile[]> {
  const checked: ManifestFile[] = [];
  for (const { path } of model.files) {
    const found = await fingerprint(join(targetDir, path), signal);
    const wanted = expected.get(path);
    if ((wanted?.sha256 ?? found.sha256) !== found.sha256 || (wanted?.bytes ?? found.bytes) !== found.bytes) {
      await rm(join(targetDir, path), { recursive: true });
      throw new Error(`its ${path} is not the expected file (sha256 ${found.sha256})`);
    }
    checked.push({ path, ...found });
  }
  return checked;
}

/** Prepares checked files and moves them to the model's folder in one step. */
export async function installFiles(
  published: ManifestFile[],
  { model, targetDir, scratchDir, signal }: FetchContext,
  { source, modelsDir }: { source: string; modelsDir: string },
): Promise<void> {
  const ready = model.preparation ? join(scratchDir, 'prepared') : targetDir;
  if (model.preparation === 'piper') {
    await rm(ready, { recursive: true, force: true });
    await preparePiperVoice(join(targetDir, 'model.onnx'), join(targetDir, 'model.onnx.json'), ready);
  }
  const installed = model.preparation ? await fingerprintAll(ready, signal) : published;
  const installedAt = new Date().toISOString();
  await writeManifest(ready, { id: model.id, source, installedAt, published, installed });
  await addPins(
    modelsDir,
    model.id,
    published.filter(({ path }) => !model.files.some((file) => file.path === path && file.sha256)),
  );
  const folder = join(modelsDir, model.id);
  if (existsSync(folder)) await rename(folder, join(scratchDir, `replaced-${Date.now()}`));
  await rename(ready, folder);
  await rm(scratchDir, { recursive: true, force: true });
}

async function fingerprintAll(folder: string, signal: AbortSignal): Promise<ManifestFile[]> {
  const names = await readdir(folder);
  return Promise.all(names.map(async (path) => ({ path, ...(await fingerprint(join(folder, path), signal)) })));
}
