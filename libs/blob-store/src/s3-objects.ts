import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { BlobEntry } from './blob-store.ts';
import type { SpooledFile } from './spool.ts';

const PART_BYTES = 8 * 1024 * 1024;
const MAX_PARTS = 10_000;
const PARTS_AT_ONCE = 2;

/**
 * Makes a file an object, and removes the file. In parts, where it is not small: one request takes 5 GB at most, and only
 * what lies in memory is sent again when the server fails.
 */
export async function upload(
  client: S3Client,
  { bucket, key, file }: { bucket: string; key: string; file: SpooledFile },
): Promise<void> {
  await new Upload({
    client,
    params: { Bucket: bucket, Key: key, Body: createReadStream(file.path) },
    partSize: Math.max(PART_BYTES, Math.ceil(file.bytes / MAX_PARTS)),
    queueSize: PARTS_AT_ONCE,
  }).done();
  await rm(file.path, { force: true });
}

/** All objects below a folder, page by page: flydrive's own listing gives no sizes, and lists `trn_10` with `trn_1`. */
export async function* objectsBelow(client: S3Client, bucket: string, folder: string): AsyncGenerator<BlobEntry> {
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${folder}/` })) {
    for (const { Key: key, Size: bytes } of page.Contents ?? []) {
      if (key !== undefined && bytes !== undefined) yield { key, bytes };
    }
  }
}
