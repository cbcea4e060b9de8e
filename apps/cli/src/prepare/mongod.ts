import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { CliError } from '../cli-error.ts';
import type { CliConfig } from '../config.ts';
import type { Reporter } from '../output/reporter.ts';
import { findProgram } from './find-program.ts';

const LOOKUP_TIMEOUT_MS = 3_000;

/** The mongod of this machine. @throws CliError where one is named that is not there. */
export async function findMongod({ env, paths }: CliConfig): Promise<string | undefined> {
  const named = env.MONGOMS_SYSTEM_BINARY;
  const found = await findProgram(named ?? 'mongod', env.PATH);
  if (named && !found) throw new CliError(`MONGOMS_SYSTEM_BINARY names ${named}, which is not there.`);
  return found ?? readDownloaded(paths.home);
}

/**
 * Downloads mongod into the data folder.
 * @returns its path; undefined where it cannot be had, after a line that says why.
 */
export async function downloadMongod({ env, paths }: CliConfig, reporter: Reporter): Promise<string | undefined> {
  const { hostname } = new URL(env.MONGOMS_DOWNLOAD_MIRROR);
  if (!(await resolves(hostname))) return undefined;
  const folder = dirname(recordPath(paths.home));
  await mkdir(folder, { recursive: true });
  reporter.begin('MongoDB', `downloading mongod from ${hostname}`);
  const script = fileURLToPath(new URL('./fetch-mongod.ts', import.meta.url));
  // Without this the library does not check certificates.
  const strict = { npm_config_strict_ssl: 'true' };
  const child = execa(process.execPath, [script, folder], {
    env: strict,
    ipc: true,
    stdio: ['ignore', 'inherit', 'pipe'],
    reject: false,
  });
  const path = await child.getOneMessage().catch(() => undefined);
  const { stderr, failed } = await child;
  if (failed || typeof path !== 'string') {
    const reason = stderr.split('\n').find((line) => line.includes('Error')) ?? 'no reason given';
    reporter.warn('MongoDB', `mongod could not be downloaded: ${reason.trim()}`);
    return undefined;
  }
  await writeFile(recordPath(paths.home), path);
  return path;
}

/** Written when a download is complete. */
function recordPath(home: string): string {
  return join(home, 'mongod', 'path');
}

async function readDownloaded(home: string): Promise<string | undefined> {
  const path = await readFile(recordPath(home), 'utf8').catch(() => undefined);
  return path !== undefined && existsSync(path) ? path : undefined;
}

async function resolves(host: string): Promise<boolean> {
  const { promise: timedOut, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), LOOKUP_TIMEOUT_MS);
  const found = lookup(host).then(
    () => true,
    () => false,
  );
  return Promise.race([found, timedOut]).finally(() => clearTimeout(timer));
}
