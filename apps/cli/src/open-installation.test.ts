import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { openBlobStore } from '@aigolos/blob-store';
import { useMongo } from '@aigolos/testing';
import { describe, expect, it } from 'vitest';
import { withInstallation } from './open-installation.ts';
import { temporaryConfig, temporaryFolder } from './stub.fake.ts';
import { claimHome, writeStackState } from './supervisor/stack-state.ts';

const mongo = useMongo();

/** A data folder in which a stack has written down where its data lie, with one file in its blob store. */
async function stackOf(mongoUrl: string, env: Record<string, string> = {}) {
  const config = await temporaryConfig(env);
  const BLOB_DIR = await temporaryFolder();
  const blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR, S3_REGION: 'us-east-1' });
  await blobs.commit(await blobs.receive(Readable.from(['of the stack']), { maxBytes: 99 }), 'trn_1/input');
  await claimHome(config.paths.home, []);
  const startedAt = new Date().toISOString();
  writeStackState(config.paths.home, {
    redisUrl: 'redis://r',
    mongoUrl,
    settings: { BLOB_DIR },
    startedAt,
    processes: [],
  });
  return config;
}

describe('an installation for a command', () => {
  it('is that of the running stack: its database, its files', async () => {
    const url = mongo.newDatabaseUrl();
    const config = await stackOf(url);
    const made = await withInstallation(async ({ db }) => db.access.ensureAccount('kept'), { config });
    await withInstallation(
      async ({ db, blobs, redis }) => {
        expect(await db.access.ensureAccount('kept')).toEqual(made);
        expect(await text(await blobs.read('trn_1/input'))).toBe('of the stack');
        expect(redis).toBeUndefined();
      },
      { config: { ...config, env: { ...config.env, MONGO_URL: url } } },
    );
  });

  it('is the one in the environment where that names another database; no file of the stack goes with it', async () => {
    const config = await stackOf('mongodb://127.0.0.1:1/nowhere', { MONGO_URL: mongo.newDatabaseUrl() });
    await withInstallation(async ({ blobs }) => expect(await blobs.exists('trn_1/input')).toBe(false), { config });
    const blobDir = join(await temporaryFolder(), 'own');
    const own = { ...config, env: { ...config.env, BLOB_DIR: blobDir } };
    await withInstallation(async ({ blobs }) => expect(blobs.spoolDir).toBe(join(blobDir, 'spool')), { config: own });
  });

  it('is missing where nothing names one', async () => {
    const config = await temporaryConfig();
    await expect(withInstallation(async () => {}, { config })).rejects.toThrow('start the stack first');
  });
});
