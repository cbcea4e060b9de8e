import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { requiredSetting } from '@aigolos/runtime';
import { S3Client } from '@aws-sdk/client-s3';
import { Disk } from 'flydrive';
import { FSDriver } from 'flydrive/drivers/fs';
import { S3Driver } from 'flydrive/drivers/s3';
import { type BlobStore, createBlobStore } from './blob-store.ts';
import { filesBelow, moveInto } from './local-files.ts';
import { objectsBelow, upload } from './s3-objects.ts';

export interface BlobStoreConfig {
  BLOB_DRIVER: 'fs' | 's3';
  BLOB_DIR?: string | undefined;
  S3_BUCKET?: string | undefined;
  S3_REGION: string;
  S3_ENDPOINT?: string | undefined;
  S3_ACCESS_KEY_ID?: string | undefined;
  S3_SECRET_ACCESS_KEY?: string | undefined;
}

/** Opens the blob store that the configuration names. */
export function openBlobStore(config: BlobStoreConfig): BlobStore {
  return config.BLOB_DRIVER === 's3'
    ? openS3(config)
    : openFs(requiredSetting(config.BLOB_DIR, 'BLOB_DIR', 'BLOB_DRIVER=fs'));
}

function openFs(dir: string): BlobStore {
  const root = resolve(dir);
  const blobs = join(root, 'blobs');
  const disk = new Disk(new FSDriver({ location: blobs, visibility: 'private' }));
  const localPath = (key: string) => join(blobs, key);
  // The spool lies on the same file system as the blobs, so that a commit is a rename.
  return createBlobStore({
    disk,
    spoolDir: join(root, 'spool'),
    store: (file, key) => moveInto(file.path, localPath(key)),
    list: (recordId) => filesBelow(blobs, recordId),
    localPath,
  });
}

function openS3(config: BlobStoreConfig): BlobStore {
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = config;
  const bucket = requiredSetting(config.S3_BUCKET, 'S3_BUCKET', 'BLOB_DRIVER=s3');
  const client = new S3Client({
    region: config.S3_REGION,
    ...(config.S3_ENDPOINT === undefined ? {} : { endpoint: config.S3_ENDPOINT, forcePathStyle: true }),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
  });
  const disk = new Disk(new S3Driver({ client, bucket, visibility: 'private', supportsACL: false }));
  return createBlobStore({
    disk,
    spoolDir: config.BLOB_DIR === undefined ? join(tmpdir(), 'aigolos-spool') : join(resolve(config.BLOB_DIR), 'spool'),
    store: (file, key) => upload(client, { bucket, key, file }),
    list: (recordId) => objectsBelow(client, bucket, recordId),
  });
}
