import { join } from 'node:path';
import { findBreaches } from './find-breaches.ts';
import { readWorkspace } from './workspace.ts';

/** `npm run boundaries`: fails with one line for each import that crosses a boundary of the house. */
const projects = readWorkspace(process.argv[2] ?? join(import.meta.dirname, '..', '..'));
const breaches = findBreaches(projects);
for (const breach of breaches) console.error(breach);
if (breaches.length > 0) {
  console.error(`${breaches.length} boundaries are crossed; the rules stand in tools/boundaries/rules.ts.`);
  process.exitCode = 1;
} else {
  console.log(`${projects.length} projects keep the boundaries.`);
}
