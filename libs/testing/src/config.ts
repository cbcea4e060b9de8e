import { intVar, loadConfig } from '@aigolos/runtime';
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
    TEST_MODEL_RUNS: intVar.min(1).default(25).describe('runs of each test that tries many orders of events'),
    TEST_STORM: z
      .stringbool()
      .default(false)
      .describe('storms at their full size: 2,000 deliveries, 5,000 deleted records'),
    TEST_INJECTIONS: z
      .stringbool()
      .default(false)
      .describe('each thing of the injection corpus in each field, instead of some of them'),
    DOCKER_HOST: z.string().optional().describe('a container engine'),
  }),
);
