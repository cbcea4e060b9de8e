import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../vitest.base.ts';

const config = mergeConfig(base, defineConfig({}));
config.test.include = ['**/*.test.ts'];

export default config;
