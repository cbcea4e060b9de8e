import { testLog } from '@aigolos/testing';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { accessControl, keyFrom } from './access.ts';

test.each([
  ['Bearer sk-1', 'sk-1'],
  ['bearer  sk-1', 'sk-1'],
  [`Basic ${btoa('admin:sk-1:2')}`, 'sk-1:2'],
  [`Basic ${btoa('nobody:')}`, undefined],
  ['Bearer', undefined],
  ['Digest sk-1', undefined],
  [undefined, undefined],
])('the key in %s', (header, key) => {
  expect(keyFrom(header)).toBe(key);
});

test('a server with a route that does not say who may call it does not start', async () => {
  const app = Fastify({ loggerInstance: testLog });
  app.register(accessControl, { access: { findHolder: async () => undefined, noteKeyUse: async () => {} } });
  app.register(async (scope) => void scope.get('/open', async () => 'hello'));
  await expect(app.ready()).rejects.toThrow('GET /open');
});
