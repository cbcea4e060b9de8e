import { loadConfig } from '@aigolos/runtime';
import { z } from 'zod';

/** Where tests find servers that are given; without these, fixtures start their own. */
export const testConfig = loadConfig(
  z.object({
    TEST_REDIS_URL: z.url().optional().describe('a Redis for tests; each test uses a prefix of its own'),
    TEST_MONGO_URL: z
      .url()
      .optional()
      .describe('a MongoDB replica set for tests; each test uses a database of its own'),
    SECANTUSDB_PATH: z
      .string()
      .optional()
      .describe('the secantusd-py program; looked up in the cache folder where absent'),
    XDG_CACHE_HOME: z.string().optional().describe('the cache folder of the user'),
    DOCKER_HOST: z.string().optional().describe('a container engine'),
  }),
);
