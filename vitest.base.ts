import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** One set of test settings for every project; a project's vitest.config.ts adds only what it needs beyond these. */
export default defineConfig({
  test: {
    include: ['{src,test}/**/*.test.ts'],
    setupFiles: [join(import.meta.dirname, 'libs', 'testing', 'src', 'secret-watch.setup.ts')],
    environment: 'node',
    pool: 'forks',
    // Files share a process, one after another: to load the libraries anew for each took longer than most of the tests.
    isolate: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
