import { join } from 'node:path';
import { SCOPE_NAMES } from '@aigolos/contracts';
import { type Database, openDatabase } from '@aigolos/db';
import { useMongo } from '@aigolos/testing';
import { execa } from 'execa';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../src/stub.fake.ts';
import { prepareAccess, readApiKey } from '../src/supervisor/access.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const DAY_MS = 24 * 60 * 60 * 1_000;
const mongo = useMongo();
let env: { AIGOLOS_HOME: string; MONGO_URL: string };
let db: Database;
beforeEach(async () => {
  env = { AIGOLOS_HOME: await temporaryFolder(), MONGO_URL: mongo.newDatabaseUrl() };
  db = await openDatabase(env.MONGO_URL);
  onTestFinished(() => db.close());
  await db.prepare();
});

const aigolos = (...args: string[]) => execa(process.execPath, [MAIN, ...args], { env, reject: false });
const holderOf = (key: string) => db.access.findHolder(key);

describe('aigolos keys', () => {
  it('makes one with the scopes and the end that are asked for, lists it without its text, and revokes it', async () => {
    const made = await aigolos('keys', 'create', '--username', 'ada', '--scopes', 'speech,chat', '--expires', '2d');
    const holder = await holderOf(made.stdout);
    expect(holder).toMatchObject({ account: { username: 'ada', role: 'user' }, key: { scopes: ['speech', 'chat'] } });
    const lasts = (holder?.key.expiresAt?.getTime() ?? 0) - Date.now();
    expect(Math.abs(lasts - 2 * DAY_MS)).toBeLessThan(60_000);

    const id = holder?.key._id ?? '';
    const listed = await aigolos('keys', 'list', '--username', 'ada');
    expect(listed.stdout).toMatch(new RegExp(`^${id}  user .*speech,chat  never used  expires `));
    const { stdout: json } = await aigolos('keys', 'list', '--username', 'ada', '--json');
    expect(JSON.parse(json)).toMatchObject({ id, scopes: ['speech', 'chat'] });
    expect(json).not.toContain(holder?.key.hash);

    expect(await aigolos('keys', 'revoke', id)).toMatchObject({ exitCode: 0, stdout: `${id} is revoked` });
    expect((await holderOf(made.stdout))?.key.revokedAt).toBeInstanceOf(Date);
    expect((await aigolos('keys', 'list', '--username', 'ada')).stdout).toContain('revoked ');
  });

  it('makes one for everything where nothing is said', async () => {
    const { stdout } = await aigolos('keys', 'create');
    expect((await holderOf(stdout))?.key).not.toHaveProperty('scopes');
    const { stdout: json } = await aigolos('keys', 'list', '--username', 'local', '--json');
    expect(JSON.parse(json)).toMatchObject({ scopes: SCOPE_NAMES });
  });

  it.each([
    ['a scope that there is not', ['create', '--scopes', 'chat,singing'], 'singing: there is no such scope'],
    ['more than its account may', ['create', '--username', 'reader'], 'accounts role --username reader user'],
    ['an account that there is not', ['list', '--username', 'nobody'], 'no account named "nobody"'],
    ['a key that there is not', ['revoke', 'key_1'], 'There is no API key key_1.'],
  ])('refuses %s in one sentence', async (_, args, sentence) => {
    await db.access.createAccount('reader', 'read-only');
    const refused = await aigolos('keys', ...args);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining(sentence)]);
    expect(refused.stderr).not.toMatch(/^\s+at /m);
  });
});

describe('aigolos accounts', () => {
  it('makes one, shows it, gives it another role, disables and enables it', async () => {
    const { stdout: id } = await aigolos('accounts', 'create', '--username', 'ada', '--role', 'admin');
    expect(await db.access.accountById(id)).toMatchObject({ username: 'ada', role: 'admin' });
    const again = await aigolos('accounts', 'create', '--username', 'ada');
    expect(again).toMatchObject({ exitCode: 1, stderr: 'There is an account named "ada" already.' });
    await aigolos('accounts', 'role', '--username', 'ada', 'read-only');
    const disabled = await aigolos('accounts', 'disable', '--username', 'ada');
    expect(disabled.stdout).toMatch(new RegExp(`^${id}  read-only  ada  disabled since`));
    expect(JSON.parse((await aigolos('accounts', 'list', '--json')).stdout)).toMatchObject({
      id,
      role: 'read-only',
      disabledAt: expect.any(String),
    });
    await aigolos('accounts', 'enable', '--username', 'ada');
    expect((await aigolos('accounts', 'show', '--username', 'ada')).stdout).toBe(`${id}  read-only  ada`);
  });

  it('refuses a name that is none, in one sentence', async () => {
    const refused = await aigolos('accounts', 'create', '--username', 'a/b');
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('must be 1 to 64 letters') });
  });
});

describe('the first start', () => {
  const home = () => env.AIGOLOS_HOME;

  it("makes an operator's account with two keys, says them once, and finds them again", async () => {
    const first = await prepareAccess(env.MONGO_URL, home());
    const [user, admin] = [await readApiKey(home()), await readApiKey(home(), 'admin')];
    expect(first.made.map(({ key }) => key)).toEqual([user, admin]);
    expect(await holderOf(user ?? '')).toMatchObject({
      account: { username: 'local', role: 'admin' },
      key: { role: 'user' },
    });
    expect(await holderOf(admin ?? '')).toMatchObject({ key: { role: 'admin' } });
    expect(await prepareAccess(env.MONGO_URL, home())).toEqual({ apiKey: user, made: [] });
  });

  it('makes a key anew that was revoked, and no other', async () => {
    const { apiKey } = await prepareAccess(env.MONGO_URL, home());
    const { key, account } = (await holderOf(apiKey)) ?? {};
    await db.access.revokeKey(account?._id ?? '', key?._id ?? '');
    const { apiKey: another, made } = await prepareAccess(env.MONGO_URL, home());
    expect(another).not.toBe(apiKey);
    expect(made.map(({ key: text }) => text)).toEqual([another]);
  });
});
