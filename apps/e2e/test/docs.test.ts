import { dirname } from 'node:path';
import { audioClip, receiversPython } from '@aigolos/testing';
import getPort from 'get-port';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runDocument } from './docs.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ engines: 'test', env: { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' } });
});
afterAll(() => stack?.stop());

test('docs/webhooks.md: every command and receiver in it does what it says', async () => {
  const programs = [dirname(receiversPython())];
  const replace = { '8788': String(await getPort()), '9000': String(await getPort()) };
  await expect(runDocument('webhooks.md', { stack, programs, replace })).resolves.toBeUndefined();
});

test('docs/long-speech.md: every command in it does what it says', async () => {
  await expect(runDocument('long-speech.md', { stack })).resolves.toBeUndefined();
});

test('docs/data-lifecycle.md: every command in it does what it says', async () => {
  const files = { 'speech.flac': audioClip('kennedy') };
  await expect(runDocument('data-lifecycle.md', { stack, files })).resolves.toBeUndefined();
});

test('docs/accounts.md: every command in it does what it says', async () => {
  const files = { 'speech.flac': audioClip('kennedy') };
  await expect(runDocument('accounts.md', { stack, files })).resolves.toBeUndefined();
});

test('docs/limits.md: every command in it does what it says', async () => {
  await expect(runDocument('limits.md', { stack })).resolves.toBeUndefined();
});

test('docs/cli.md: every command in it does what it says', async () => {
  const files = { 'meeting.flac': audioClip('kennedy') };
  await expect(runDocument('cli.md', { stack, files })).resolves.toBeUndefined();
});
