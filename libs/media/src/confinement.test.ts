import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { childRunning, isAlive } from '@aigolos/testing';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { decodeAll, ffmpeg, SPEECH, withFolder, writeClip } from '../test/clips.ts';
import { createMedia, type MediaTools } from './media.ts';

/** What ffprobe says of a file that is in order. */
const ANSWER = JSON.stringify({
  format: { format_name: 'wav' },
  streams: [{ codec_type: 'audio', sample_rate: '16000', channels: 1, nb_read_packets: '1' }],
});

/** Probes a sound that is in order with a tool that does something else. */
async function probeWith(script: string, limits: NonNullable<MediaTools['limits']> = {}): Promise<unknown> {
  return withFolder(async (folder) => {
    const tool = await writeClip(folder, 'tool', `#!/bin/sh\n${script}\n`);
    await chmod(tool, 0o700);
    return createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: tool, limits }).probe(SPEECH);
  });
}

const MEGABYTE = 1024 ** 2;
const useMemory = `head -c ${200 * MEGABYTE} /dev/zero | tail -c ${200 * MEGABYTE} >/dev/null && echo '${ANSWER}'`;

describe('a tool is kept within its limits, and the file is to blame where they do not suffice', () => {
  test('of memory', async () => {
    await expect(probeWith(useMemory)).resolves.toMatchObject({ container: 'wav' });
    await expect(probeWith(useMemory, { memoryBytes: 100 * MEGABYTE })).rejects.toMatchObject({
      code: 'AUDIO_NOT_RECOGNISED',
      retryable: false,
    });
  });

  test('of processor time', { timeout: 60_000 }, async () => {
    await withFolder(async (folder) => {
      const sine = 'sine=frequency=300:duration=7200:sample_rate=48000';
      const long = await ffmpeg(join(folder, 'long.flac'), ['-f', 'lavfi', '-i', sine, '-compression_level', '0']);
      const media = createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe', limits: { cpuSeconds: 1 } });
      const pieces = media.decode(long, { sampleRateHz: 16_000 }, new AbortController().signal);
      const decoding = (async () => {
        for await (const _ of pieces);
      })();
      await expect(decoding).rejects.toMatchObject({
        code: 'AUDIO_NOT_RECOGNISED',
        retryable: false,
        message: expect.stringContaining('more time or memory than a file may'),
      });
    });
  });

  test('of what it says', async () => {
    await expect(probeWith('yes')).rejects.toMatchObject({ code: 'AUDIO_NOT_RECOGNISED' });
  });

  test('of what it writes: nothing', async () => {
    await withFolder(async (folder) => {
      const written = join(folder, 'written');
      await expect(probeWith(`echo x >${written}; echo '${ANSWER}'`)).rejects.toMatchObject({
        code: 'AUDIO_NOT_RECOGNISED',
      });
    });
  });

  test('a file on which it crashes', async () => {
    await expect(probeWith('kill -SEGV $$')).rejects.toMatchObject({ code: 'AUDIO_NOT_RECOGNISED', retryable: false });
  });
});

test('a tool that is killed, or that hangs, is not the fault of the file: another try may succeed', async () => {
  const failed = { code: 'MEDIA_TOOL_FAILED', retryable: true };
  await expect(probeWith('kill -KILL $$')).rejects.toMatchObject(failed);
  await expect(probeWith('exec sleep 600', { silenceMs: 300 })).rejects.toMatchObject(failed);
});

test('a decoder that gives nothing though it is waited for is ended', async () => {
  await withFolder(async (folder) => {
    const tool = await writeClip(folder, 'tool', '#!/bin/sh\nhead -c 64000 /dev/zero; exec sleep 600\n');
    await chmod(tool, 0o700);
    const media = createMedia({ ffmpegPath: tool, ffprobePath: 'ffprobe', limits: { silenceMs: 300 } });
    const pieces = media.decode(SPEECH, { sampleRateHz: 16_000 }, new AbortController().signal);
    const decoding = Array.fromAsync(pieces);
    await expect(decoding).rejects.toMatchObject({ code: 'MEDIA_TOOL_FAILED', retryable: true });
  });
});

test('a terminal that ends this process does not tell the tool: a file that is half read is not taken for a whole one', async () => {
  // The sixth field is the session: its own where it leads one.
  const script = `[ "$(cut -d' ' -f6 /proc/$$/stat)" = $$ ] && echo '${ANSWER}'`;
  await expect(probeWith(script)).resolves.toMatchObject({ container: 'wav' });
});

test('no tool outlives a process that is killed, even one that never writes to it', { timeout: 60_000 }, async () => {
  await withFolder(async (folder) => {
    const tool = await writeClip(folder, 'tool', '#!/bin/sh\nexec sleep 600\n');
    await chmod(tool, 0o700);
    const script = join(import.meta.dirname, '..', 'test', 'probe-with.ts');
    const child = execa(process.execPath, [script, tool], { reject: false });
    const pid = await vi.waitFor(() => childRunning('sleep', child.pid), { timeout: 30_000 });
    child.kill('SIGKILL');
    await child;
    // Whoever inherits it takes a moment to notice that it has ended.
    await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
  });
});

test('where the system has nothing to keep limits with, tools run without, and a warning says so once', async () => {
  const { stdout: ffprobePath } = await execa('which', ['ffprobe']);
  const warn = vi.fn<(message: string) => void>();
  const media = createMedia({ ffmpegPath: 'ffmpeg', ffprobePath, log: { warn } });
  vi.stubEnv('PATH', '/nowhere');
  onTestFinished(() => void vi.unstubAllEnvs());
  await Promise.all([media.probe(SPEECH), media.probe(SPEECH)]);
  expect(warn.mock.calls).toEqual([[expect.stringContaining('no limits of memory and time')]]);
});

test('what is within the limits is decoded whole', async () => {
  expect((await decodeAll(SPEECH)).length / 16_000).toBeCloseTo(2.87, 1);
});
