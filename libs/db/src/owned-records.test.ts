import { newId } from '@aigolos/contracts';
import { useMongo } from '@aigolos/testing';
import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest';
import { type Database, openDatabase } from './database.ts';
import type { OwnedRecords } from './owned-records.ts';

const mongo = useMongo();
let db: Database;
beforeAll(async () => {
  db = await openDatabase(mongo.newDatabaseUrl());
  await db.prepare();
});
afterAll(() => db.close());

/** As the first of several parameters, or in the record or filter that comes first. */
type TakesAccount<Call> = Call extends (...given: infer Given) => unknown
  ? Given extends [string, unknown, ...unknown[]] | [{ account: string }, ...unknown[]]
    ? true
    : false
  : false;
type WithoutAccount<Repository> = Repository extends unknown
  ? { [Name in keyof Repository]: TakesAccount<Repository[Name]> extends true ? never : Name }[keyof Repository]
  : never;

test('what is done for a caller cannot be done without an account', () => {
  expectTypeOf<WithoutAccount<OwnedRecords[keyof OwnedRecords]>>().toBeNever();
  expectTypeOf<WithoutAccount<Pick<Database['jobs'], 'find'>>>().toEqualTypeOf<'find'>();
  expectTypeOf<WithoutAccount<Pick<Database['files'], 'find'> | OwnedRecords['files']>>().toEqualTypeOf<'find'>();
});

const MINE = 'acc_mine';
const THEIRS = 'acc_theirs';

test('of a conversation and its items nothing is found or changed for another account', async () => {
  const { conversations } = db;
  const begun = await conversations.begin(MINE, { retentionSeconds: null, metadata: { mine: 'yes' } });
  const { _id: id } = begun;
  const [item] = await conversations.appendItems(begun, [{ role: 'user', content: 'hi' }]);
  const itemId = item?._id ?? '';
  await conversations.setMetadata(THEIRS, id, {});
  expect(await conversations.clearItem(THEIRS, id, itemId)).toBe(false);
  expect(await conversations.takeTurn(THEIRS, id, { otherwise: null })).toBeUndefined();
  expect(await conversations.item(THEIRS, id, itemId)).toBeUndefined();
  expect(await conversations.items(THEIRS, id, { limit: 9, order: 'asc' })).toEqual([]);
  expect(await conversations.countMessages(THEIRS, id)).toBe(0);
  expect(await conversations.findOwned(MINE, id)).toMatchObject({ metadata: { mine: 'yes' }, nextTurn: 0 });
  expect(await conversations.items(MINE, id, { limit: 9, order: 'asc' })).toMatchObject([{ content: 'hi' }]);
});

test('of an upload and a file nothing is found or changed for another account', async () => {
  const [createdAt, expiresAt] = [new Date(), new Date(Date.now() + 60_000)];
  const common = { account: MINE, filename: 'f', purpose: 'user_data', bytes: 1, createdAt } as const;
  const upload = newId('upload');
  await db.uploads.insert({ ...common, _id: upload, status: 'pending', parts: [], receivedBytes: 0, expiresAt });
  const added = { part: { id: 'part_1', blobKey: 'k', bytes: 1 }, most: { parts: 9, bytes: 9 } };
  expect(await db.uploads.addPart(THEIRS, upload, added)).toBe(false);
  expect(await db.uploads.end(THEIRS, upload, { status: 'cancelled' })).toBe(false);
  expect(await db.uploads.findOwned(MINE, upload)).toMatchObject({ status: 'pending', parts: [] });
  const file = newId('file');
  await db.files.insert({ ...common, _id: file, blobKey: `${file}/content`, sha256: 'ab' });
  expect([await db.files.findOwned(THEIRS, file), await db.files.findKept(THEIRS, file)]).toEqual([
    undefined,
    undefined,
  ]);
  expect(await db.files.findKept(MINE, file)).toBeDefined();
});

test('of a webhook endpoint nothing is found or changed for another account', async () => {
  const { webhooks } = db;
  const [id, now] = [newId('webhookEndpoint'), new Date()];
  const terms = { url: 'https://example.com', events: ['job.completed' as const], description: '' };
  const state = { status: 'active', secrets: { current: 'whsec_1' }, failuresInRow: 0 } as const;
  await webhooks.insertEndpoint({ _id: id, account: MINE, ...terms, ...state, createdAt: now, updatedAt: now });
  const replaced = { current: 'whsec_1', secrets: { current: 'whsec_2' } };
  expect(await webhooks.replaceEndpointSecrets(THEIRS, id, replaced)).toBe(false);
  expect(await webhooks.updateEndpoint(THEIRS, id, { status: 'paused' })).toBeUndefined();
  expect(await webhooks.deleteEndpoint(THEIRS, id)).toBe(false);
  expect(await webhooks.findOwnedEndpoint(MINE, id)).toMatchObject({
    status: 'active',
    secrets: { current: 'whsec_1' },
  });
});
