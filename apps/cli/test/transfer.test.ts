import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openBlobStore } from '@aigolos/blob-store';
import { newId } from '@aigolos/contracts';
import { newJobRecord, openDatabase } from '@aigolos/db';
import { useMongo, waitUntil } from '@aigolos/testing';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../src/stub.fake.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const mongo = useMongo();

/** An empty installation, and the command line on it. */
async function newInstallation() {
  const BLOB_DIR = await temporaryFolder();
  const env = { AIGOLOS_HOME: await temporaryFolder(), MONGO_URL: mongo.newDatabaseUrl(), BLOB_DIR };
  const db = await openDatabase(env.MONGO_URL);
  onTestFinished(() => db.close());
  await db.prepare();
  const blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR, S3_REGION: 'us-east-1' });
  /** A user with one synthesis; answers where its sound lies. */
  const addUser = async (username: string) => {
    const { _id: account } = await db.access.ensureAccount(username);
    const _id = newId('speech');
    const blobKey = `${_id}/output-1.mp3`;
    await blobs.commit(await blobs.receive(Readable.from([`sound of ${username}`]), { maxBytes: 99 }), blobKey);
    const task = { model: 'test', voice: 'joe', input: 'hi', format: 'mp3' as const, speed: 1 };
    const result = { blobKey, contentType: 'audio/mpeg', bytes: 9, durationSeconds: 1 };
    const ended = { status: 'completed' as const, finishedAt: new Date() };
    await db.jobs.insert(newJobRecord({ _id, kind: 'speech', account, task, result, ...ended }));
    return { account, speech: _id, place: join(BLOB_DIR, 'blobs', blobKey) };
  };
  const aigolos = (...args: string[]) => execa(process.execPath, [MAIN, ...args], { env, reject: false });
  return { db, blobs, addUser, aigolos };
}

it('everything that one installation has comes into another', async () => {
  const [here, there] = [await newInstallation(), await newInstallation()];
  const [ann, bob] = [await here.addUser('ann'), await here.addUser('Bob')];
  const output = join(await temporaryFolder(), 'exports');
  const exported = await here.aigolos('export', '--output', output, '--archive');
  expect([exported.exitCode, exported.stderr]).toEqual([0, '']);
  expect(exported.stdout).toMatch(/✓ ann +2 documents, 1 file, 0\.0 MB in .*ann\.tar\.zst/);
  expect((await readdir(output)).toSorted()).toEqual(['%42ob.tar.zst', 'ann.tar.zst']);

  const dry = await there.aigolos('import', output, '--dry-run', '--json');
  const planned = dry.stdout.split('\n').map((line) => JSON.parse(line) as object);
  expect(planned).toMatchObject([{ username: 'Bob', dryRun: true, changed: true, files: { added: 1 } }, {}]);
  expect(await there.db.jobs.find(ann.speech)).toBeUndefined();
  const imported = await there.aigolos('import', output);
  expect(imported.stdout).toMatch(/✓ ann +added 2 documents and 1 file of ann\.tar\.zst/);
  for (const { speech } of [ann, bob]) {
    expect(await there.db.jobs.find(speech)).toEqual(await here.db.jobs.find(speech));
    expect(await there.blobs.exists(`${speech}/output-1.mp3`)).toBe(true);
  }
});

it('an export of one user that is interrupted says so, and is finished by the same command', async () => {
  const { addUser, aigolos } = await newInstallation();
  const { place } = await addUser('ann');
  await addUser('bob');
  // It would take long to read.
  await truncate(place, 50 * 1024 ** 3);
  const output = await temporaryFolder();
  const args = ['export', '--output', output, '--username', 'ann', '--json'];
  const running = aigolos(...args);
  await waitUntil('it copies', async () => (await readdir(join(output, 'ann', 'files')).catch(() => [])).length > 0);
  running.kill('SIGINT');
  expect(await running).toMatchObject({ exitCode: 130, stderr: 'Interrupted: the same command goes on from here.' });
  await truncate(place, 5);
  const finished = await aigolos(...args);
  expect(JSON.parse(finished.stdout)).toMatchObject({ username: 'ann', files: 1, documents: { syntheses: 1 } });
  expect(await readdir(output)).toEqual(['ann']);
  expect((await readdir(join(output, 'ann'))).toSorted()).toEqual(['documents', 'files', 'manifest.json']);
});

it('what cannot be done is said in one sentence', async () => {
  const { aigolos } = await newInstallation();
  expect(await aigolos('export', '--output', '/nowhere', '--username', 'nobody')).toMatchObject({
    exitCode: 1,
    stderr: 'There is no account named "nobody".',
  });
  expect(await aigolos('import', '/nowhere')).toMatchObject({
    exitCode: 1,
    stderr: '/nowhere is refused: there is no such file or directory',
  });
});
