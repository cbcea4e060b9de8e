import { startApp } from '@aigolos/testing';
import { expect, test } from 'vitest';

test('starts an app that tells what it was asked', async () => {
  const app = await startApp('../libs/testing/test/leaky/app', {});
  await app.ready();
  expect((await app.end('SIGTERM')).exitCode).toBe(0);
});
