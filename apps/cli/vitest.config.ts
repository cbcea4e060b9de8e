import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.base.ts';

/** What commands print is compared as text, wherever the tests run; 0 is for those who heed FORCE_COLOR first. */
const colourless = { NO_COLOR: '1', FORCE_COLOR: '0' };

/** Each test starts processes. */
export default mergeConfig(base, defineConfig({ test: { env: colourless, testTimeout: 60_000 } }));
