import { createReadStream, createWriteStream } from 'node:fs';
import { cp, mkdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readManifest } from '../manifest.ts';
import type { CatalogueFile, CatalogueModel } from '../model.ts';
import type { FetchContext } from './fetch-context.ts';

/**
 * Copies a model from a folder: one with the files as published (under the catalogue's names or their author's), or one
 * that AIGolos installed elsewhere.
 */
export async function fetchFromFolder(folder: string, context: FetchContext): Promise<void> {
  const { model, expected, targetDir, signal } = context;
  for (const { path, bytes, sha256 } of (await readManifest(folder))?.published ?? []) {
    expected.set(path, { bytes, sha256, ...expected.get(path) });
  }
  for (const file of model.files) {
    const source = await findFile(folder, file, model);
    const target = join(targetDir, file.path);
    await rm(target, { recursive: true, force: true });
    await mkdir(dirname(target), { recursive: true });
    if (file.isFolder) {
      await cp(source, target, { recursive: true });
      continue;
    }
    // What preparation appended to an installed file is left behind.
    const bytes = expected.get(file.path)?.bytes;
    const content = createReadStream(source, bytes ? { end: bytes - 1 } : {});
    await pipeline(content, createWriteStream(target), { signal });
  }
}

async function findFile(folder: string, file: CatalogueFile, model: CatalogueModel): Promise<string> {
  const authors = model.sources.flatMap((source) => (source.type === 'hub' ? (source.paths?.[file.path] ?? []) : []));
  for (const name of [file.path, ...authors.map((path) => basename(path))]) {
    const path = join(folder, name);
    if (await exists(path)) return path;
  }
  throw new Error(`${folder} has no ${file.path}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
