import { execa } from 'execa';
import { expect, test } from 'vitest';
import { KENNEDY, media, withFolder, writeClip } from '../test/clips.ts';

const signal = new AbortController().signal;

test('a recording whose container does not say how long it is, is measured', async () => {
  await withFolder(async (folder) => {
    // Into a pipe, where ffmpeg cannot go back to write the length: as a browser records.
    const make = ['-v', 'error', '-i', KENNEDY, '-c:a', 'libopus', '-f', 'webm', 'pipe:1'];
    const { stdout } = await execa('ffmpeg', make, { encoding: 'buffer' });
    const path = await writeClip(folder, 'recorded.webm', stdout);
    expect((await media.probe(path)).durationSeconds).toBeUndefined();
    expect(await media.measureSeconds(path, signal)).toBeCloseTo(11, 1);
  });
});

test('of what is no sound the length is unknown', async () => {
  await withFolder(async (folder) => {
    const path = await writeClip(folder, 'text.wav', 'not a sound');
    expect(await media.measureSeconds(path, signal)).toBeUndefined();
  });
});
