import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT, readDockerfile } from './dockerfile.ts';
import { ensureHadolint } from './hadolint.ts';

const stages = readDockerfile();
const apps = readdirSync(join(ROOT, 'apps')).filter((name) => name !== 'e2e');

describe('Dockerfile', () => {
  test.each(apps)('%s has a target that runs its main.ts under a user without rights', (app) => {
    const target = stages.get(app);
    const main = `apps/${app}/src/main.ts`;
    expect([...(target?.entrypoint ?? []), ...(target?.command ?? [])]).toContain(main);
    expect(existsSync(join(ROOT, main))).toBe(true);
    expect(target?.entrypoint[0]).toBe('tini');
    expect(target?.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  test('every app that serves tells whether it is well', () => {
    const silent = apps.filter((app) => !stages.get(app)?.hasHealthcheck);
    expect(silent).toEqual(['cli']);
  });

  test('an image has its own app and the libs, and no other app', () => {
    for (const app of apps) expect(stages.get(app)?.copies.toSorted()).toEqual([`apps/${app}`, 'libs']);
  });

  test('the image runs the Node of .node-version', () => {
    const version = readFileSync(join(ROOT, '.node-version'), 'utf8').trim();
    expect(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).toContain(`ARG NODE_VERSION=${version}\n`);
  });
});

describe('hadolint', () => {
  let hadolint: string;
  beforeAll(async () => {
    hadolint = await ensureHadolint();
  }, 120_000);
  const lint = (input: string) => execa(hadolint, ['--no-color', '-'], { cwd: ROOT, input, reject: false });

  test('finds nothing in the Dockerfile', async () => {
    const { stdout, exitCode } = await lint(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 });
  });

  test('finds what is wrong in another', async () => {
    const { stdout, exitCode } = await lint('FROM node:latest\nRUN cd /tmp && sudo apt-get install python3\n');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/DL3007[^]*DL3004/);
  });
});
