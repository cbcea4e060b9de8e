import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CliConfig } from '../config.ts';
import { recordingReporter, temporaryConfig, temporaryFolder, writeProgram } from '../stub.fake.ts';
import { ensurePrograms, type Program } from './programs.ts';

const TOY: Program = {
  name: 'toy',
  command: 'aigolos-toy',
  packages: { apt: 'toy-deb', dnf: 'toy', apk: 'toy', brew: 'toy' },
};
const OPTIONAL_TOY: Program = { ...TOY, lossWithout: 'play' };

/** A machine whose apt-get runs this script, and whose sudo asks for a password. */
async function machine(aptGet: string, userId: number): Promise<{ config: CliConfig; bin: string }> {
  const bin = await temporaryFolder();
  await writeProgram(bin, 'apt-get', aptGet);
  await writeProgram(bin, 'sudo', 'exit 1');
  const getuid = vi.spyOn(process, 'getuid').mockReturnValue(userId);
  onTestFinished(() => getuid.mockRestore());
  return { config: await temporaryConfig({ PATH: `${bin}:/usr/bin:/bin` }), bin };
}

function installsToy(bin: string): string {
  return `printf '#!/bin/sh\\n' > ${bin}/aigolos-toy && chmod +x ${bin}/aigolos-toy`;
}

describe('ensurePrograms', () => {
  it('finds a program in PATH without asking the package manager', async () => {
    const { config, bin } = await machine('exit 99', 0);
    await writeProgram(bin, 'aigolos-toy', '');
    const reporter = recordingReporter();
    const found = await ensurePrograms([TOY], config, reporter);
    expect(found.get('toy')).toBe(join(bin, 'aigolos-toy'));
    expect(reporter.lines).toEqual([`ok toy: ${bin}/aigolos-toy`]);
  });

  it('installs a missing program where the user may, after fetching package lists if need be', async () => {
    const bin = await temporaryFolder();
    const script = `case "$1" in update) touch ${bin}/updated ;; install) [ -e ${bin}/updated ] && ${installsToy(bin)} ;; esac`;
    const { config } = await machine(script, 0);
    config.env.PATH = `${bin}:${config.env.PATH}`;
    const found = await ensurePrograms([TOY], config, recordingReporter());
    expect(found.get('toy')).toBe(join(bin, 'aigolos-toy'));
  });

  it('names the command to run where the user may not install', async () => {
    const { config } = await machine('exit 99', 1000);
    await expect(ensurePrograms([TOY], config, recordingReporter())).rejects.toThrow(
      'toy is missing: install it with "sudo apt-get install toy-deb" and run the command again.',
    );
  });

  it('names the command to run where installing fails', async () => {
    const { config } = await machine('echo no such package >&2; exit 100', 0);
    await expect(ensurePrograms([TOY], config, recordingReporter())).rejects.toThrow(
      /installing it failed \(no such package\): try "apt-get install toy-deb" by hand/,
    );
  });

  it('goes on without a program that is not needed, and says what is lost', async () => {
    const { config } = await machine('exit 99', 1000);
    const reporter = recordingReporter();
    const found = await ensurePrograms([OPTIONAL_TOY], config, reporter);
    expect(found.has('toy')).toBe(false);
    expect(reporter.lines.join()).toContain('Without it there is no play.');
  });
});
