import { createHash } from 'node:crypto';
import { type DatabaseShell, openDatabaseShell, useMongo } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from './database.ts';

const mongo = useMongo();
let db: Database;
let shell: DatabaseShell;
beforeAll(async () => {
  const url = mongo.newDatabaseUrl();
  db = await openDatabase(url);
  await db.prepare();
  shell = openDatabaseShell(url);
});
afterAll(async () => {
  await shell.close();
  await db.close();
});

const DAY_MS = 24 * 60 * 60 * 1_000;
const later = (days: number) => new Date(Date.now() + days * DAY_MS);
const newAccount = async () => (await db.access.ensureAccount(crypto.randomUUID()))._id;
const newKey = async (account: string) => db.access.createKey({ account, role: 'user', label: 'test' });
/** As earlier versions have written it. */
const insertEarlier = async (fields: { account: string; role: string; text: string }) => {
  const { account, role, text } = fields;
  const hash = createHash('sha256').update(text).digest('hex');
  const record = { _id: `key_${crypto.randomUUID()}`, account, role, label: 'old', hash, createdAt: new Date() };
  await shell.run('api_keys', 'insertOne', record);
};

describe('a key', () => {
  test('is found by itself alone, and its text is kept nowhere', async () => {
    const account = await newAccount();
    const { key, record } = await newKey(account);
    expect(await db.access.findHolder(key)).toMatchObject({ key: { _id: record._id }, account: { _id: account } });
    const secret = key.slice(-38, -6);
    expect(await shell.dump()).not.toContain(secret);
    expect(JSON.stringify(record)).not.toContain(secret);
  });

  test('of another secret under the same id is nobody', async () => {
    const { key, record } = await newKey(await newAccount());
    await shell.run('api_keys', 'updateOne', { _id: record._id }, { $set: { hash: 'ab'.repeat(32) } });
    expect(await db.access.findHolder(key)).toBeUndefined();
  });

  test('of the earlier form is found as it was', async () => {
    const account = await newAccount();
    await insertEarlier({ account, role: 'user', text: 'sk-aigolos-of-last-year' });
    expect(await db.access.findHolder('sk-aigolos-of-last-year')).toMatchObject({ account: { _id: account } });
    expect(await db.access.findHolder('sk-aigolos-of-last-yea')).toBeUndefined();
  });

  test('that was mistyped is refused without the database', async () => {
    const closed = await openDatabase(mongo.newDatabaseUrl());
    const { key } = await newKey(await newAccount());
    await closed.close();
    await expect(closed.access.findHolder(`${key.slice(0, -1)}!`)).rejects.toMatchObject({ code: 'API_KEY_MISTYPED' });
    await expect(closed.access.findHolder(key)).rejects.not.toMatchObject({ code: 'API_KEY_MISTYPED' });
  });

  test("is revoked by its account alone, once, and another's is as if it were not there", async () => {
    const account = await newAccount();
    const { record } = await newKey(account);
    expect(await db.access.revokeKey('acc_other', record._id)).toBeUndefined();
    expect((await db.access.findOwnedKey(account, record._id))?.revokedAt).toBeUndefined();
    const revoked = await db.access.revokeKey(account, record._id);
    expect(revoked?.revokedAt).toBeInstanceOf(Date);
    expect(await db.access.revokeKey(account, record._id)).toEqual(revoked);
  });

  test('has its use noted once a minute, whoever saw it', async () => {
    const account = await newAccount();
    const { record } = await newKey(account);
    await Promise.all([db.access.noteKeyUse(record), db.access.noteKeyUse(record)]);
    const { lastUsedAt } = (await db.access.findOwnedKey(account, record._id)) ?? {};
    expect(Date.now() - (lastUsedAt?.getTime() ?? 0)).toBeLessThan(10_000);
    await db.access.noteKeyUse(record);
    expect((await db.access.findOwnedKey(account, record._id))?.lastUsedAt).toEqual(lastUsedAt);
    const longAgo = new Date(Date.now() - 61_000);
    await shell.run('api_keys', 'updateOne', { _id: record._id }, { $set: { lastUsedAt: longAgo } });
    await db.access.noteKeyUse({ ...record, lastUsedAt: longAgo });
    const noted = (await db.access.findOwnedKey(account, record._id))?.lastUsedAt?.getTime() ?? 0;
    expect(noted).toBeGreaterThan(longAgo.getTime());
  });

  test('that ended long ago is forgotten when another one is made; one that ended lately is not counted', async () => {
    const account = await newAccount();
    const [old, lately, usable] = [await newKey(account), await newKey(account), await newKey(account)];
    await shell.run('api_keys', 'updateOne', { _id: old.record._id }, { $set: { revokedAt: later(-91) } });
    await shell.run('api_keys', 'updateOne', { _id: lately.record._id }, { $set: { expiresAt: later(-1) } });
    const { record: newest } = await newKey(account);
    const listed = await db.access.listKeys({ account, limit: 9 });
    expect(listed.map(({ _id }) => _id)).toEqual([newest._id, usable.record._id, lately.record._id]);
    expect(await db.access.countUsableKeys(account)).toBe(2);
  });
});

describe('an account', () => {
  test('is made once under its name', async () => {
    const made = await Promise.all([db.access.ensureAccount('ada'), db.access.ensureAccount('ada', 'admin')]);
    expect(new Set(made.map(({ _id }) => _id)).size).toBe(1);
    expect(await db.access.createAccount('ada', 'user')).toBeUndefined();
  });

  test('is disabled and enabled, and keeps since when', async () => {
    const id = await newAccount();
    const disabled = await db.access.changeAccount(id, { disabled: true, role: 'read-only' });
    expect(disabled).toMatchObject({ role: 'read-only', disabledAt: expect.any(Date) });
    expect(await db.access.changeAccount(id, { disabled: true })).toEqual(disabled);
    expect(await db.access.changeAccount(id, { disabled: false })).not.toHaveProperty('disabledAt');
  });

  test('of an earlier version gets the highest role of its keys, and keeps the one that it is given', async () => {
    for (const [name, role] of [
      ['acc_old_admin', 'admin'],
      ['acc_old_user', 'user'],
    ] as const) {
      await shell.run('accounts', 'insertOne', { _id: name, username: name, createdAt: new Date() });
      await insertEarlier({ account: name, role: 'user', text: `sk-aigolos-user-of-${name}` });
      await insertEarlier({ account: name, role, text: `sk-aigolos-of-${name}` });
    }
    await db.prepare();
    const roles = async () =>
      Promise.all(['acc_old_admin', 'acc_old_user'].map(async (id) => (await db.access.accountById(id))?.role));
    expect(await roles()).toEqual(['admin', 'user']);
    await db.access.changeAccount('acc_old_admin', { role: 'read-only' });
    await db.prepare();
    expect(await roles()).toEqual(['read-only', 'user']);
  });
});
