import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { execa } from 'execa';
import getPort from 'get-port';
import { expect, test } from 'vitest';
import {
  AUDIO_CLIPS,
  audioClip,
  isAlive,
  startRedis,
  startS3,
  startServerProcess,
  useMongo,
  waitUntil,
} from './index.ts';

const mongo = useMongo();

test('a Redis that is killed comes back with what it had, and leaves no process', async () => {
  const redis = await startRedis();
  const cli = async (...args: string[]) => (await execa('redis-cli', ['-p', String(redis.port), ...args])).stdout;
  await cli('SET', 'key', 'kept');
  await redis.restart();
  expect(await cli('GET', 'key')).toBe('kept');
  expect(await cli('CONFIG', 'GET', 'maxmemory-policy')).toContain('noeviction');
  await redis.flushAll();
  expect(await cli('GET', 'key')).toBe('');
  await redis.kill();
  expect(isAlive(redis.pid)).toBe(false);
});

test('an S3 server gives a bucket to each who asks, and leaves no process', async () => {
  const s3 = await startS3();
  const [one, other] = await Promise.all([s3.newBucket(), s3.newBucket()]);
  expect(one.S3_BUCKET).not.toBe(other.S3_BUCKET);
  await s3.kill();
  expect(isAlive(s3.pid)).toBe(false);
});

test('a server that ends at once fails with what it said', async () => {
  const starting = startServerProcess('redis-server', ['--port', 'not-a-port'], await getPort());
  await expect(starting).rejects.toThrow(/port/i);
});

test('every database is one of its own', () => {
  const urls = Array.from({ length: 5 }, () => mongo.newDatabaseUrl());
  expect(new Set(urls).size).toBe(5);
});

test('waiting fails with what was waited for', async () => {
  await expect(waitUntil('the impossible', () => false, 50)).rejects.toThrow('the impossible');
});

test('every clip is there', async () => {
  for (const name of Object.keys(AUDIO_CLIPS) as (keyof typeof AUDIO_CLIPS)[]) {
    expect(existsSync(audioClip(name)), name).toBe(true);
    expect((await stat(audioClip(name))).size).toBeGreaterThan(1_000);
  }
});
