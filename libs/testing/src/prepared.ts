import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { testConfig } from './config.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
const CACHE = join(testConfig.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'aigolos');

/** The folder with the installed models. */
export const MODELS_DIR = testConfig.AIGOLOS_MODELS_DIR ?? join(CACHE, 'models');

/** The Python that has the speech recogniser. @throws where `npm test` has not prepared it yet. */
export function speechPython(): string {
  return programOf(join(REPOSITORY, 'libs', 'engines', 'python', 'requirements.txt'), 'python');
}

/** The SecantusDB server. @throws where `npm test` has not prepared it yet. */
export function secantusd(): string {
  return programOf(join(REPOSITORY, 'apps', 'cli', 'python', 'secantusdb.txt'), 'secantusd-py');
}

/** The Python that verifies webhooks. @throws where `npm test` has not prepared it yet. */
export function receiversPython(): string {
  return programOf(join(REPOSITORY, 'apps', 'e2e', 'python', 'receivers.txt'), 'python');
}

/** A program of the Python that has the official client and the API fuzzer. @throws where `npm test` has not prepared it yet. */
export function clientsProgram(program: 'python' | 'schemathesis'): string {
  return programOf(join(REPOSITORY, 'apps', 'e2e', 'python', 'clients.txt'), program);
}

/** A program of a prepared Python environment, which is named by the hash of its requirements. */
function programOf(requirements: string, program: string): string {
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const path = join(CACHE, 'python', hash, 'bin', program);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm test\` once from the root, which prepares it.`);
  return path;
}
