import { defineConfig } from 'vitest/config';
import base from '../../../../vitest.base.ts';

/** Tests that pass and leak, each in another place. They are run by the test of the watch alone. */
export default defineConfig({ test: { ...base.test, include: ['*.leak.ts'] } });
