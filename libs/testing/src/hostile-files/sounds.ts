import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { execa } from 'execa';
import { uint32 } from './hostile-file.ts';

const SECOND = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=1:sample_rate=16000'];
const PLAIN = ['-map_metadata', '-1', '-fflags', '+bitexact', '-flags:a', '+bitexact'];
const SOUNDS = {
  flac: { file: 'a.flac', make: [] },
  mp3: { file: 'a.mp3', make: ['-c:a', 'libmp3lame', '-b:a', '32k', '-id3v2_version', '0'] },
  ogg: { file: 'a.ogg', make: ['-c:a', 'libopus'] },
  m4a: { file: 'a.m4a', make: ['-c:a', 'aac'] },
  webm: { file: 'a.webm', make: ['-c:a', 'libopus'] },
  /** A fiftieth of a second. */
  shortOgg: { file: 'b.ogg', make: ['-c:a', 'libopus', '-t', '0.02'] },
  /** Twenty minutes. */
  silence: { file: 'f.flac', make: ['-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono:d=1200', '-map', '1'] },
  silentFilm: { file: 'c.mp4', make: ['-f', 'lavfi', '-i', 'color=s=64x64:d=1:r=5', '-map', '1', '-c:v', 'mpeg4'] },
  withAttachment: { file: 'd.mkv', make: ['-attach', 'note.txt', '-metadata:s:t', 'mimetype=text/plain'] },
  withHugeCover: {
    file: 'e.mp3',
    make: ['-i', 'cover.png', '-map', '0:a', '-map', '1:v', '-c:v', 'copy', '-disposition:v', 'attached_pic'],
  },
} as const;

/** A second of a plain tone in the containers that are spoilt, and some that are hostile as they are. */
export type Sounds = Record<keyof typeof SOUNDS, Buffer>;

export async function makeSounds(): Promise<Sounds> {
  const folder = await mkdtemp(join(tmpdir(), 'aigolos-hostile-'));
  try {
    await writeFile(join(folder, 'note.txt'), 'not a sound');
    await writeFile(join(folder, 'cover.png'), hugePicture());
    const made: [string, Buffer][] = [];
    for (const [name, { file, make }] of Object.entries(SOUNDS)) {
      const output = [...PLAIN, file];
      await execa('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...SECOND, ...make, ...output], { cwd: folder });
      made.push([name, await readFile(join(folder, file))]);
    }
    return Object.fromEntries(made) as Sounds;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const SIDE_PIXELS = 15_000;

/** A PNG of 15,000 times 15,000 pixels, which is 700 MB as a picture, in some kilobytes. Source: the PNG specification, 5.3 and 11.2. */
export function hugePicture(): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
  };
  const header = Buffer.concat([uint32(SIDE_PIXELS), uint32(SIDE_PIXELS), Buffer.from([8, 2, 0, 0, 0])]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(10_000_000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
