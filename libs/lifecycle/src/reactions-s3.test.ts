import { Readable } from 'node:stream';
import { openBlobStore } from '@aigolos/blob-store';
import { newId } from '@aigolos/contracts';
import { openDatabaseShell, useMongo, useRedis, useS3, waitUntil } from '@aigolos/testing';
import { expect, test } from 'vitest';
import { createReactions } from './index.ts';
import { openTestInstallation } from './installation.fake.ts';

const redis = useRedis();
const mongo = useMongo();
const s3 = useS3();

test('files in S3 go with the records that a database shell deletes, and no others', async () => {
  const url = mongo.newDatabaseUrl();
  const at = await openTestInstallation(redis, { newDatabaseUrl: () => url });
  const shell = openDatabaseShell(url);
  const blobs = openBlobStore(await s3.newBucket());
  const stopping = new AbortController();
  const heard = Promise.withResolvers<void>();
  const watching = at.db.watch({
    name: 'test',
    fence: 1,
    reactions: createReactions({ ...at, blobs, cache: { invalidate: () => Promise.resolve() } }),
    sweep: () => Promise.resolve(),
    observer: { onHeard: heard.resolve, onHistoryLost: () => {}, onEffect: () => {}, onFailure: () => {} },
    signal: stopping.signal,
    log: at.log,
  });
  try {
    await heard.promise;
    const store = async (id: string, name: string) => {
      await blobs.commit(await blobs.receive(Readable.from(['audio']), { maxBytes: 9 }), `${id}/${name}`);
    };
    const filesOf = async (id: string) => (await Array.fromAsync(blobs.list(id))).length;
    const [heardOnce, spoken, kept] = [newId('transcription'), newId('speech'), newId('speech')];
    for (const _id of [heardOnce, spoken, kept]) {
      await at.insertJob({ _id });
      await store(_id, 'input');
      await store(_id, 'output-1.mp3');
    }
    await shell.run('jobs', 'deleteMany', { _id: { $in: [heardOnce, spoken] } });
    await waitUntil('their files are gone', async () => (await filesOf(heardOnce)) + (await filesOf(spoken)) === 0);
    expect(await filesOf(kept)).toBe(2);
  } finally {
    stopping.abort();
    await watching;
    await Promise.all([shell.close(), at.close()]);
  }
});
