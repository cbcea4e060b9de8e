import { join } from 'node:path';
import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.base.ts';

const env = {
  // What commands print is compared as text, wherever the tests run; 0 is for those who heed FORCE_COLOR first.
  NO_COLOR: '1',
  FORCE_COLOR: '0',
  // As the way in sets it (tools/setup): it halves what the start of a command costs.
  NODE_COMPILE_CACHE: join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'compiled'),
};

/** Each test starts processes. */
export default mergeConfig(base, defineConfig({ test: { env, testTimeout: 60_000 } }));
