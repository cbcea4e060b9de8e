import { type RedisProcess, startRedis } from '@aigolos/testing';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';

let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.kill());

test('puts into the queue what it was asked', async () => {
  const { stdout } = await execa('redis-cli', ['-p', String(redis.port), 'HSET', 'queue:1', 'data', '[[words 3]]']);
  expect(stdout).toBe('1');
});

test('puts what streams where it may lie', async () => {
  const { stdout } = await execa('redis-cli', ['-p', String(redis.port), 'SET', 'aigolos:live:1', 'echo(1): hello']);
  expect(stdout).toBe('OK');
});
