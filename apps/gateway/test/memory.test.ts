import { useMongo, useRedis } from '@aigolos/testing';
import { expect, test } from 'vitest';
import { MB, uploadMemory } from './upload-memory.ts';

const redis = useRedis();
const mongo = useMongo();

/** `npm run bench:edge -- --only memory` does it with 500 MB. */
test.skipIf(process.platform !== 'linux')(
  'a 100 MB upload grows the memory of the gateway by less than 32 MB',
  async () => {
    const servers = { redisUrl: redis.url, mongoUrl: mongo.newDatabaseUrl() };
    const { growthMB, arrivedBytes } = await uploadMemory(servers, 100);
    expect(arrivedBytes).toBe(100 * MB);
    expect(growthMB).toBeLessThan(32);
  },
  60_000,
);
