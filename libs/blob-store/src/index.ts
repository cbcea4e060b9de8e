export type { BlobEntry, BlobStore } from './blob-store.ts';
export { type BlobStoreConfig, openBlobStore } from './open.ts';
export type { SpooledFile } from './spool.ts';
