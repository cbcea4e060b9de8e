import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import getPort from 'get-port';
import { afterAll, beforeAll } from 'vitest';
import { type ServerProcess, startServerProcess } from './process.ts';

/** What a blob store is opened with, in this process or, as its environment, in another. */
export interface S3Settings {
  BLOB_DRIVER: 's3';
  S3_ENDPOINT: string;
  S3_REGION: string;
  S3_BUCKET: string;
  S3_ACCESS_KEY_ID: string;
  S3_SECRET_ACCESS_KEY: string;
}

export interface TestS3 {
  /** An empty bucket that nobody else uses. */
  newBucket(): Promise<S3Settings>;
}

export type S3Process = ServerProcess & TestS3;

/** An S3-compatible server for the tests of this file. */
export function useS3(): TestS3 {
  let server: S3Process | undefined;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(async () => server?.kill());
  return {
    newBucket() {
      if (!server) throw new Error('useS3() gives buckets to hooks and tests only');
      return server.newBucket();
    },
  };
}

/** An S3-compatible server process of the test's own, which it may stop or kill; its objects end with it. */
export async function startS3(): Promise<S3Process> {
  const port = await getPort();
  const url = `http://127.0.0.1:${port}`;
  const server = await startServerProcess(
    process.execPath,
    [join(import.meta.dirname, 's3-server.ts'), String(port)],
    port,
  );
  return {
    ...server,
    async newBucket() {
      const bucket = `test-${randomUUID()}`;
      const made = await fetch(`${url}/${bucket}`, { method: 'PUT' });
      if (!made.ok) throw new Error(`no bucket was made: ${made.status} ${await made.text()}`);
      return {
        BLOB_DRIVER: 's3',
        S3_ENDPOINT: url,
        S3_REGION: 'us-east-1',
        S3_BUCKET: bucket,
        S3_ACCESS_KEY_ID: 'test',
        S3_SECRET_ACCESS_KEY: 'test',
      };
    },
  };
}
