import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

/** A project of which nothing is there but the way in: a lock file with one package, and a command line that is told what to do. */
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aigolos-setup-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await cp(import.meta.dirname, join(root, 'tools', 'setup'), { recursive: true });
  const entries = {
    'node_modules/toy': { version: '1.0.0' },
    'node_modules/other-platform': { version: '1.0.0', optional: true },
  };
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages: entries }));
  await writeCommandLine(`console.log('ran', ...process.argv.slice(2), process.env.PATH.split(':')[0])`);
});

async function writeCommandLine(script: string): Promise<void> {
  await mkdir(join(root, 'apps', 'cli', 'src'), { recursive: true });
  await writeFile(join(root, 'apps', 'cli', 'src', 'main.ts'), script);
}

/** An npm that does what the script says; it counts its calls. */
async function writeNpm(script: string): Promise<string> {
  const npm = join(root, 'npm.js');
  await writeFile(
    npm,
    `const fs = require('node:fs'); fs.appendFileSync('${root}/npm-calls', process.argv.slice(2).join(' ') + '\\n'); ${script}`,
  );
  return npm;
}

const INSTALLS = `fs.mkdirSync('node_modules', { recursive: true }); console.log('npm noise'); fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/toy': { version: '1.0.0' } } }));`;

/** Starts the way in, under the Node of these tests. */
function run(npm: string, args: string[] = []) {
  const env = { npm_execpath: npm };
  return execa(process.execPath, [join(root, 'tools', 'setup', 'run.mjs'), ...args], {
    env,
    reject: false,
  });
}

describe('run.mjs', () => {
  it('installs packages at the first start, quietly, and not at the second', async () => {
    const npm = await writeNpm(INSTALLS);
    const first = await run(npm, ['up', '--now']);
    expect(first.stdout).toMatch(/^Installing packages.*\nPackages installed in \d+ s\.\nran up --now/);
    expect(first.stdout).not.toContain('npm noise');
    expect((await run(npm, ['up'])).stdout).toMatch(/^ran up/);
    expect(await readFile(join(root, 'npm-calls'), 'utf8')).toMatch(/^ci --ignore-scripts.*\n$/);
  });

  it('installs again when the lock file names another version', async () => {
    const npm = await writeNpm(INSTALLS);
    await run(npm);
    await writeFile(
      join(root, 'package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/toy': { version: '2.0.0' } } }),
    );
    expect((await run(npm)).stdout).toMatch(/^Installing packages/);
  });

  it.each([
    ['npm error code ENOTFOUND', 'The package registry cannot be reached: connect to the internet'],
    ['npm error code ENOSPC', 'The packages do not fit on this disk'],
  ])('shows what npm said when it fails (%s) and what to do', async (said, sentence) => {
    const failed = await run(await writeNpm(`console.error('${said}'); process.exit(1)`));
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain(said);
    expect(failed.stderr).toContain(sentence);
    expect(failed.stderr).not.toMatch(/^\s+at /m);
  });

  it('runs the command line under the Node that the packages bring, first in PATH, and passes its exit code on', async () => {
    const bin = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin');
    await mkdir(bin, { recursive: true });
    await symlink(process.execPath, join(bin, 'node'));
    await writeCommandLine(`console.log(process.env.PATH.split(':')[0]); process.exit(7)`);
    const ended = await run(await writeNpm(INSTALLS));
    expect(ended.exitCode).toBe(7);
    expect(ended.stdout).toContain(bin);
  });

  it('passes signals on and ends as the command line ends', async () => {
    await writeCommandLine(
      `process.once('SIGTERM', () => process.exit(3)); console.log('ready'); setInterval(() => {}, 1000)`,
    );
    const running = run(await writeNpm(INSTALLS));
    for await (const line of running) if (line === 'ready') running.kill('SIGTERM');
    expect((await running).exitCode).toBe(3);
  });

  it('lets the command line know when it is killed', async () => {
    const goodbye = join(root, 'goodbye');
    await writeCommandLine(
      `process.once('disconnect', () => { process.getBuiltinModule('fs').writeFileSync('${goodbye}', 'bye'); process.exit(); }); console.log('ready')`,
    );
    const running = run(await writeNpm(INSTALLS));
    for await (const line of running) if (line === 'ready') running.kill('SIGKILL');
    expect(await vi.waitFor(() => readFile(goodbye, 'utf8'), 5_000)).toBe('bye');
  });

  it('stops the command line when npm, which keeps signals to itself, is gone', async () => {
    const goodbye = join(root, 'goodbye');
    await writeCommandLine(
      `process.once('SIGTERM', () => { process.getBuiltinModule('fs').writeFileSync('${goodbye}', 'bye'); process.exit(); }); console.log('ready'); setInterval(() => {}, 1000)`,
    );
    const env = { npm_execpath: await writeNpm(INSTALLS), npm_lifecycle_event: 'start' };
    const shell = execa('sh', ['-c', `${process.execPath} ${join(root, 'tools', 'setup', 'run.mjs')}; true`], {
      env,
      reject: false,
    });
    for await (const line of shell) if (line === 'ready') shell.kill('SIGKILL');
    expect(await vi.waitFor(() => readFile(goodbye, 'utf8'), 5_000)).toBe('bye');
  });

  it('asks for a newer Node in one sentence', async () => {
    const script = join(root, 'tools', 'setup', 'run.mjs');
    const pretend = join(root, 'old-node.mjs');
    await writeFile(pretend, `Object.defineProperty(process, 'version', { value: 'v18.20.0' })`);
    const refused = await execa(process.execPath, ['--import', pretend, script], { reject: false });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/^AIGolos needs Node 20 or newer to start, and this is v18.20.0: install.*$/);
  });
});
