import { loadConfig } from '@aigolos/runtime';
import { z } from 'zod';

/** Where tests find what is given; without these, fixtures start servers of their own and look where `npm test` prepares things. */
export const testConfig = loadConfig(
  z.object({
    PATH: z.string().default('').describe('folders with programs'),
    TEST_REDIS_URL: z.url().optional().describe('a Redis for tests; each test uses a prefix of its own'),
    TEST_MONGO_URL: z
      .url()
      .optional()
      .describe('a MongoDB replica set for tests; each test uses a database of its own'),
    XDG_CACHE_HOME: z.string().optional().describe('the cache folder of the user'),
    AIGOLOS_MODELS_DIR: z.string().optional().describe('folder of the models; in the cache folder where absent'),
    DOCKER_HOST: z.string().optional().describe('a container engine'),
  }),
);
