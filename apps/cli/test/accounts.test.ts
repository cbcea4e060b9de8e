import { join } from 'node:path';
import { NO_AMOUNTS } from '@aigolos/contracts';
import { type Database, openDatabase } from '@aigolos/db';
import { useMongo } from '@aigolos/testing';
import { execa } from 'execa';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../src/stub.fake.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const mongo = useMongo();
let env: { AIGOLOS_HOME: string; MONGO_URL: string };
let db: Database;
let account: string;
beforeEach(async () => {
  env = { AIGOLOS_HOME: await temporaryFolder(), MONGO_URL: mongo.newDatabaseUrl() };
  db = await openDatabase(env.MONGO_URL);
  onTestFinished(() => db.close());
  await db.prepare();
  ({ _id: account } = await db.access.ensureAccount('ada'));
});

const limits = (...args: string[]) =>
  execa(process.execPath, [MAIN, 'accounts', 'limits', '--username', 'ada', ...args], { env, reject: false });
const stored = async () => (await db.access.accountById(account))?.limits;
const wanted = { amounts: { ...NO_AMOUNTS, requests: 1 }, limits: {}, now: new Date() };

it('aigolos accounts limits sets some, leaves the others, and takes one back', async () => {
  const { stdout } = await limits('requests_per_minute=60', 'tokens_per_day=none', 'concurrent_jobs=4');
  expect(stdout).toMatch(/^requests_per_minute +60$/m);
  expect(stdout).toMatch(/^tokens_per_day +none$/m);
  expect(stdout).toMatch(/^characters_per_month +as the installation says$/m);
  await limits('concurrent_jobs=default', 'requests_per_minute=10');
  expect(await stored()).toEqual({ requests_per_minute: 10, tokens_per_day: null });
  await limits();
  expect(await stored()).toEqual({ requests_per_minute: 10, tokens_per_day: null });
});

it('aigolos accounts limits says what is wrong, and changes nothing then', async () => {
  const { exitCode, stderr } = await limits('requests_per_minute=60', 'tokens=1', 'concurrent_jobs=many');
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('there is no limit "tokens"; the limits are requests_per_minute,');
  expect(stderr).toContain('concurrent_jobs must be a whole number of at least 0, or none, not "many"');
  expect(await stored()).toBeUndefined();
});

it('an account whose limits are set is counted anew from what it used, but not while jobs are open', async () => {
  const answer = await db.quotas.reserve(account, 'cht_1', wanted);
  if (!('reservation' in answer)) throw new Error('there is room');
  await limits('concurrent_jobs=4');
  expect((await db.quotas.stateOf(account, new Date()))?.jobs).toBe(1);
  await db.quotas.settle(account, 'cht_1', { reservation: answer.reservation, used: NO_AMOUNTS });
  await limits('concurrent_jobs=5');
  expect(await db.quotas.stateOf(account, new Date())).toBeUndefined();
});
