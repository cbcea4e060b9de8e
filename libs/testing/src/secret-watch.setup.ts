import { afterAll } from 'vitest';
import { takeFoundSecrets } from './secret-watch.ts';

// Stands before every file of tests, so it runs after all that these have to say at their ends.
afterAll(() => {
  const found = takeFoundSecrets();
  if (found.length > 0) throw new Error(['Secrets stand where others may see them:', ...found].join('\n'));
});
