import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.base.ts';

/** Whole stacks on two cores: one file after another, and time for a killed worker's lease to run out. */
export default mergeConfig(
  base,
  defineConfig({ test: { fileParallelism: false, testTimeout: 90_000, hookTimeout: 120_000 } }),
);
