import { createHash } from 'node:crypto';
import type { ErasureItem } from '@aigolos/db';
import { type Database, openDatabase } from '@aigolos/db';
import { useMongo } from '@aigolos/testing';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { receiptKeys, signReceipt, summarize, verifyReceipt } from './receipt.ts';

const mongo = useMongo();
let db: Database;
let other: Database;
beforeEach(async () => {
  [db, other] = [await openDatabase(mongo.newDatabaseUrl()), await openDatabase(mongo.newDatabaseUrl())];
  await db.prepare();
  await other.prepare();
});
afterEach(async () => {
  await db.close();
  await other.close();
});

const ERASURE = {
  id: 'era_1',
  account: 'acc_1',
  scope: { type: 'job', id: 'cht_1' } as const,
  requestedAt: new Date('2026-01-02T03:04:05.678Z'),
};
const sign = async (removed = {}) => signReceipt(db, ERASURE, removed);

test('any JOSE library verifies a receipt with the published key, which holds nothing secret', async () => {
  const receipt = await sign({ chat: { count: 1, sha256: 'ab', ids: ['cht_1'] } });
  const keys = await receiptKeys(db);
  expect(Object.keys(keys.keys[0] ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  const { payload, protectedHeader } = await jwtVerify(receipt, createLocalJWKSet(keys));
  expect(protectedHeader).toEqual({ alg: 'EdDSA', kid: keys.keys[0]?.kid, typ: 'erasure-receipt+jwt' });
  expect(payload).toMatchObject({ jti: 'era_1', sub: 'acc_1', requested_at: '2026-01-02T03:04:05.678Z' });
  expect(await verifyReceipt(`${receipt}\n`, keys)).toEqual(payload);
});

test('a receipt that was changed, or that another installation signed, is refused', async () => {
  const receipt = await sign();
  const keys = await receiptKeys(db);
  const [header, payload = '', signature] = receipt.split('.');
  const said = Buffer.from(payload, 'base64url').toString();
  const changed = Buffer.from(said.replace('cht_1', 'cht_2')).toString('base64url');
  const unsigned = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  for (const wrong of [
    `${header}.${changed}.${signature}`,
    `${header}.${payload}.${signature?.slice(0, -4)}AAAA`,
    `${unsigned}.${payload}.`,
    'no receipt at all',
  ]) {
    await expect(verifyReceipt(wrong, keys)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  }
  await expect(verifyReceipt(receipt, await receiptKeys(other))).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
});

test('an installation has one key, however many processes ask for it first', async () => {
  const asked = await Promise.all(Array.from({ length: 8 }, () => receiptKeys(db)));
  expect(new Set(asked.map(({ keys }) => keys[0]?.kid)).size).toBe(1);
});

test('counts and digests are of all ids, of which the first are listed', async () => {
  const ids = Array.from({ length: 450 }, (_, index) => `msg_${String(index).padStart(4, '0')}`);
  async function* items(): AsyncGenerator<ErasureItem> {
    yield { kind: 'chat', item: 'cht_1' };
    yield* ids.map((item) => ({ kind: 'message', item }));
  }
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  expect(await summarize(items())).toEqual({
    chat: { count: 1, sha256: digest('cht_1\n'), ids: ['cht_1'] },
    message: { count: 450, sha256: digest(`${ids.join('\n')}\n`), ids: ids.slice(0, 200) },
  });
});
