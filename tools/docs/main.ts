/**
 * Writes what is generated under docs/; with `--check` it fails where something there is not what it would write.
 * Run with Node 24: `npm run docs`, `npm run docs:check`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compatibilityPage } from './compatibility.ts';
import { configurationPage } from './configuration.ts';
import { apiDescription } from './openapi.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const FILES: Record<string, string> = {
  'configuration.md': configurationPage(),
  'openai-compatibility.md': compatibilityPage(),
  'openapi.json': await apiDescription(),
};

for (const [name, text] of Object.entries(FILES)) {
  const path = join(DOCS, name);
  if (!process.argv.includes('--check')) {
    await writeFile(path, text);
  } else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
    console.error(`docs/${name} is not what the sources say: run \`npm run docs\`.`);
    process.exitCode = 1;
  }
}
