import { join } from 'node:path';
import { execa } from 'execa';
import type { CliConfig } from '../config.ts';
import type { Reporter } from '../output/reporter.ts';
import { prepareTests } from '../prepare/prepare.ts';

const TARGETS = ['format:check', 'lint', 'typecheck', 'boundaries', 'knip', 'docs:check', 'test'];

/**
 * Prepares what tests need and runs every check of every project that has changed since it last passed.
 * @returns the exit code.
 */
export async function runTests(config: CliConfig, reporter: Reporter, nxArgs: string[]): Promise<number> {
  await prepareTests(config, reporter);
  const nx = join(config.paths.root, 'node_modules', '.bin', 'nx');
  const args = ['run-many', '-t', ...TARGETS, '--parallel=2', '--output-style=static', ...nxArgs];
  const { exitCode } = await execa(nx, args, {
    cwd: config.paths.root,
    env: { NX_TUI: 'false' },
    stdio: ['ignore', 'inherit', 'inherit'],
    reject: false,
  });
  return exitCode ?? 1;
}
