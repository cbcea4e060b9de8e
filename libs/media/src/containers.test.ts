import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ffmpeg, SPEECH, withFolder, writeClip } from '../test/clips.ts';
import { containerOf } from './containers.ts';

/** A file of each container that ffmpeg can write, and how. */
const FILES: [string, string, string[]][] = [
  ['a.wav', 'wav', []],
  ['a.w64', 'w64', []],
  ['rf64.wav', 'wav', ['-rf64', 'always']],
  ['a.flac', 'flac', []],
  ['a.ogg', 'ogg', ['-c:a', 'libopus']],
  ['a.m4a', 'mov', ['-c:a', 'aac']],
  ['a.mov', 'mov', ['-c:a', 'pcm_s16le']],
  ['fragments.mp4', 'mov', ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov']],
  ['a.webm', 'matroska', ['-c:a', 'libopus']],
  ['a.wma', 'asf', []],
  ['a.avi', 'avi', []],
  ['a.flv', 'flv', ['-ar', '22050']],
  ['a.aiff', 'aiff', []],
  ['a.au', 'au', []],
  ['a.caf', 'caf', []],
  ['a.ac3', 'ac3', []],
  ['a.eac3', 'eac3', []],
  ['a.tta', 'tta', []],
  ['a.wv', 'wv', []],
  ['a.voc', 'voc', ['-c:a', 'pcm_u8']],
  ['a.mpg', 'mpeg', ['-c:a', 'mp2', '-f', 'mpeg']],
  ['a.ts', 'mpegts', ['-c:a', 'aac']],
  ['a.m2ts', 'mpegts', ['-c:a', 'ac3', '-mpegts_m2ts_mode', '1']],
  ['a.mp2', 'mp3', []],
  ['a.aac', 'aac', []],
  ['a.mp3', 'mp3', []],
  ['untagged.mp3', 'mp3', ['-id3v2_version', '0', '-write_xing', '0']],
  ['low.mp3', 'mp3', ['-id3v2_version', '0', '-ar', '11025', '-b:a', '8k']],
];

test.each(FILES)('%s is one of %s', async (name, demuxer, make) => {
  await withFolder(async (folder) => {
    const path = await ffmpeg(join(folder, name), ['-i', SPEECH, ...make]);
    expect(await containerOf(path)).toMatchObject({ demuxer });
  });
});

test('an MP3 or AAC is found behind what a cut has left of its first frame, and behind a tag', async () => {
  await withFolder(async (folder) => {
    for (const [name, demuxer] of [
      ['a.mp3', 'mp3'],
      ['a.aac', 'aac'],
    ] as const) {
      const bytes = await readFile(await ffmpeg(join(folder, name), ['-i', SPEECH, '-id3v2_version', '0']));
      const tag = Buffer.from('ID3\x04\0\0\0\0\x01\0', 'latin1');
      const tagged = Buffer.concat([tag, Buffer.alloc(128), bytes]);
      for (const content of [bytes.subarray(300), tagged]) {
        expect(await containerOf(await writeClip(folder, 'cut', content))).toMatchObject({ demuxer });
      }
    }
  });
});

test.each([
  ['#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/a.ts', /playlist/],
  ['PK\x03\x04 and more', /ZIP/],
  ['<?xml version="1.0"?><MPD/>', /DASH/],
])('%j is named and has no demuxer', async (content, name) => {
  await withFolder(async (folder) => {
    const found = await containerOf(await writeClip(folder, 'file', content));
    expect(found).toEqual({ bytes: expect.any(String), name: expect.stringMatching(name) });
  });
});

test('a text is nothing, even one in UTF-16, whose first bytes are those of a frame', async () => {
  await withFolder(async (folder) => {
    const path = await writeClip(folder, 'notes.mp3', 'Remember the milk.\n'.repeat(200));
    expect(await containerOf(path)).toBeUndefined();
    const utf16 = Buffer.from(`\ufeff${'Remember the milk. '.repeat(200)}`, 'utf16le');
    expect(await containerOf(await writeClip(folder, 'utf16', utf16))).toBeUndefined();
  });
});
