import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CliConfig } from '../config.ts';
import { recordingReporter, temporaryConfig, temporaryFolder, writeProgram } from '../stub.fake.ts';
import { findPython } from './python.ts';
import { ensurePythonEnv, installedPython, type PythonEnvSpec } from './python-env.ts';

const MODULE = 'toy_module';

/** Requirements that pip can fulfil from a folder alone: one wheel, made here. */
async function toyRequirements(changes: { sha256?: string } = {}): Promise<PythonEnvSpec> {
  const folder = await temporaryFolder();
  const info = `${MODULE}-1.0.dist-info`;
  await mkdir(join(folder, info));
  await writeFile(join(folder, `${MODULE}.py`), 'ANSWER = 42\n');
  await writeFile(join(folder, info, 'METADATA'), `Metadata-Version: 2.1\nName: ${MODULE}\nVersion: 1.0\n`);
  await writeFile(join(folder, info, 'WHEEL'), 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n');
  await writeFile(join(folder, info, 'RECORD'), '');
  const wheel = join(folder, `${MODULE}-1.0-py3-none-any.whl`);
  await execa('python3', ['-m', 'zipfile', '-c', wheel, `${MODULE}.py`, info], { cwd: folder });
  const sha256 = createHash('sha256')
    .update(await readFile(wheel))
    .digest('hex');
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${MODULE}==1.0 --hash=sha256:${changes.sha256 ?? sha256}\n`);
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { name: 'Python toy', requirements, bytes: 1e6 };
}

async function answer(python: string): Promise<string> {
  return (await execa(python, ['-c', `import ${MODULE}; print(${MODULE}.ANSWER)`])).stdout;
}

describe('ensurePythonEnv', () => {
  it('makes an environment with the packages, and leaves it alone the next time', async () => {
    const config = await temporaryConfig();
    const spec = await toyRequirements();
    const python = await ensurePythonEnv(spec, config, recordingReporter());
    expect(await answer(python)).toBe('42');
    const { mtimeMs } = await stat(join(python, '..', '..', 'pyvenv.cfg'));
    const again = recordingReporter();
    expect(await ensurePythonEnv(spec, config, again)).toBe(python);
    expect(again.lines).toHaveLength(1);
    expect((await stat(join(python, '..', '..', 'pyvenv.cfg'))).mtimeMs).toBe(mtimeMs);
  });

  it('completes an environment that was left half made', async () => {
    const config = await temporaryConfig();
    const spec = await toyRequirements();
    const python = await ensurePythonEnv(spec, config, recordingReporter());
    await rm(join(python, '..', '..', 'complete'));
    await rm(join(python, '..', '..', 'lib'), { recursive: true });
    expect(await installedPython(spec, config)).toBeUndefined();
    expect(await answer(await ensurePythonEnv(spec, config, recordingReporter()))).toBe('42');
  });

  it('makes it once when two ask at the same time', async () => {
    const config = await temporaryConfig();
    const spec = await toyRequirements();
    const ask = () => ensurePythonEnv(spec, config, recordingReporter());
    const [one, two] = await Promise.all([ask(), ask()]);
    expect(one).toBe(two);
    expect(await answer(one)).toBe('42');
  });

  it('refuses a package with another hash, and does not count as installed', async () => {
    const config = await temporaryConfig();
    const spec = await toyRequirements({ sha256: '0'.repeat(64) });
    await expect(ensurePythonEnv(spec, config, recordingReporter())).rejects.toThrow(/HASHES|hash/i);
    expect(await installedPython(spec, config)).toBeUndefined();
  });
});

describe('findPython', () => {
  const withPython = async (script: string): Promise<CliConfig> => {
    return temporaryConfig({ AIGOLOS_PYTHON: await writeProgram(await temporaryFolder(), 'python', script) });
  };

  it('finds the version of Python and of its pip', async () => {
    expect(await findPython(await temporaryConfig())).toMatchObject({ version: expect.stringMatching(/^3\.\d+/) });
  });

  it.each([
    ['that is missing', 'exit 127', 'Python 3.10 or newer is missing'],
    ['that is too old', 'echo 3.8.10; echo 20.0', 'is Python 3.8.10, and 3.10 or newer is needed'],
    ['without pip', 'echo 3.11.2; exit 1', 'has no pip: install it'],
  ])('says what to do about a Python %s', async (_, script, sentence) => {
    await expect(findPython(await withPython(script))).rejects.toThrow(sentence);
  });
});
