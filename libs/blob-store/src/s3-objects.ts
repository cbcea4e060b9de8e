import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { BlobEntry } from './blob-store.ts';

/** All objects below a folder, page by page: flydrive's own listing gives no sizes, and lists `trn_10` with `trn_1`. */
export async function* objectsBelow(client: S3Client, bucket: string, folder: string): AsyncGenerator<BlobEntry> {
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${folder}/` })) {
    for (const { Key: key, Size: bytes } of page.Contents ?? []) {
      if (key !== undefined && bytes !== undefined) yield { key, bytes };
    }
  }
}
