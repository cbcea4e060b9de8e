import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { CatalogueFile, HubSource } from '../model.ts';
import { downloadFile } from './download.ts';
import type { FetchContext } from './fetch-context.ts';
import { createHubFetch, type HubFetch } from './hub-fetch.ts';

/** Large files stand in the hub's listing with their SHA-256, small ones with a git hash that says nothing to us. */
const ListingSchema = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.number(),
    lfs: z.object({ oid: z.string() }).optional(),
  }),
);

/** Fetches a model's files from the model hub. Resumes what an earlier call began. */
export async function fetchFromHub(source: HubSource, context: FetchContext): Promise<void> {
  const { model, expected, targetDir, signal } = context;
  const fetch = createHubFetch(context.hubUrl, context.viaProxy);
  if (model.files.some((file) => expected.get(file.path)?.bytes === undefined)) {
    await learnFromListing(source, context, fetch);
  }
  const sized = model.files.map((file) => ({ file, bytes: sizeOf(file, source, expected) }));
  const total = sized.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const { file, bytes } of sized) {
    const target = join(targetDir, file.path);
    if (!existsSync(target)) {
      await mkdir(dirname(target), { recursive: true });
      const onProgress = (done: number) => context.onProgress(before + done, total);
      await downloadFile(urlOf(source, file, context.hubUrl), target, { fetch, maxBytes: bytes, signal, onProgress });
    }
    before += bytes;
    context.onProgress(before, total);
  }
}

function sizeOf(file: CatalogueFile, source: HubSource, expected: FetchContext['expected']): number {
  const bytes = expected.get(file.path)?.bytes;
  if (bytes === undefined) throw new Error(`${source.repository} has no ${pathOf(source, file)}`);
  return bytes;
}

async function learnFromListing(
  source: HubSource,
  { model, expected, hubUrl, signal }: FetchContext,
  fetch: HubFetch,
): Promise<void> {
  const wanted = new Map(model.files.map((file) => [pathOf(source, file), file.path]));
  const folders = new Set([...wanted.keys()].map((path) => dirname(path)));
  for (const folder of folders) {
    const path = folder === '.' ? '' : `/${encodePath(folder)}`;
    const url = `${hubUrl}/api/models/${source.repository}/tree/${source.revision}${path}`;
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]) }).catch(() => {
      throw new Error(`${new URL(hubUrl).host} cannot be reached`);
    });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    for (const entry of ListingSchema.parse(await response.json())) {
      const file = wanted.get(entry.path);
      const known = file === undefined ? undefined : (expected.get(file) ?? {});
      if (file === undefined || known === undefined) continue;
      expected.set(file, { bytes: entry.size, ...(entry.lfs ? { sha256: entry.lfs.oid } : {}), ...known });
    }
  }
}

function pathOf(source: HubSource, file: CatalogueFile): string {
  return source.paths?.[file.path] ?? file.path;
}

function urlOf(source: HubSource, file: CatalogueFile, hubUrl: string): string {
  return `${hubUrl}/${source.repository}/resolve/${source.revision}/${encodePath(pathOf(source, file))}`;
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
