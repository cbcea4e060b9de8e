import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type CliConfig, readConfig } from './config.ts';
import type { Reporter } from './output/reporter.ts';

/** A temporary folder that ends with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aigolos-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A shell script that stands in for a program. */
export async function writeProgram(folder: string, name: string, script: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Settings whose data and cache lie in temporary folders. */
export async function temporaryConfig(env: Record<string, string> = {}): Promise<CliConfig> {
  const folder = await temporaryFolder();
  return readConfig({ PATH: '', AIGOLOS_HOME: join(folder, 'home'), XDG_CACHE_HOME: join(folder, 'cache'), ...env });
}

/** Keeps the lines that a user would see. */
export function recordingReporter(): Reporter & { lines: string[] } {
  const lines: string[] = [];
  const keep = (mark: string) => (name: string, detail: string) => void lines.push(`${mark} ${name}: ${detail}`);
  return {
    lines,
    ok: keep('ok'),
    warn: keep('warn'),
    fail: keep('fail'),
    begin: keep('begin'),
    bar: () => ({ update: () => {}, stop: () => {} }),
  };
}
