import { createLogger } from '@aigolos/runtime';
import { watchForSecrets } from './secret-watch.ts';

/** The log of what runs within a test: all of it is made as elsewhere, nothing is printed, and no secret may stand in it. */
export const testLog = createLogger(
  { service: 'test', level: 'trace' },
  { write: (line) => watchForSecrets('log of what runs within a test', line) },
);
