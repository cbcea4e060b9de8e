import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeNameServer, startFakeNameServer } from './name-server.fake.ts';
import { createNameResolver } from './resolve-name.ts';

const KNOWN = {
  'both.test': ['192.0.2.1', '192.0.2.2', '2001:db8::1'],
  'six.test': ['2001:db8::2'],
  'alias.test': ['other.test', '192.0.2.3'],
};

let server: FakeNameServer;
let resolve: ReturnType<typeof createNameResolver>;
beforeAll(async () => {
  server = await startFakeNameServer(KNOWN);
  resolve = createNameResolver({ asksSystem: false, servers: [server.address] });
});
afterAll(() => server.close());

test('every address of a name is given, of both families', async () => {
  expect(await resolve('both.test')).toEqual(KNOWN['both.test']);
  expect(await resolve('six.test')).toEqual(KNOWN['six.test']);
});

test('a name that stands for another one has its addresses', async () => {
  expect(await resolve('alias.test')).toEqual(['192.0.2.3']);
});

test('many names whose servers stay silent delay no other name', async () => {
  for (let i = 0; i < 64; i++) resolve(`silent-${i}.test`).catch(() => {});
  const began = performance.now();
  await resolve('both.test');
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('what only this machine knows is found where that is asked for', async () => {
  await expect(resolve('localhost')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  const asking = createNameResolver({ asksSystem: true, servers: [server.address] });
  expect(await asking('localhost')).toContain('127.0.0.1');
});
