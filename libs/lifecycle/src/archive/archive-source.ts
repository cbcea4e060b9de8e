import type { Manifest } from './manifest.ts';

/** Something in an archive, as it stands there: nothing about it is to be trusted. */
export interface RawEntry {
  path: string;
  type: string;
  bytes: number;
  /** To be read at once, before the next entry; what is not read is skipped. */
  content: AsyncIterable<Uint8Array>;
}

/** One user's exported data: a folder, or a `.tar.zst`. */
export interface ArchiveSource {
  /** What it is called in messages. */
  name: string;
  manifest: Manifest;
  /** Everything in it but the manifest. Can be read more than once. */
  entries(): AsyncIterable<RawEntry>;
}
