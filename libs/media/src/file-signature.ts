import { open } from 'node:fs/promises';

/** How files of the common containers begin (`.` stands for any byte). */
const SIGNATURES: [RegExp, string][] = [
  [/^RIFF....WAVE/s, 'a WAV'],
  [/^fLaC/, 'a FLAC'],
  [/^OggS/, 'an Ogg'],
  [/^....ftyp/s, 'an MP4 or M4A'],
  [/^\x1a\x45\xdf\xa3/, 'a WebM or Matroska'],
  [/^(?:ID3|\xff[\xf2\xf3\xfb])/, 'an MP3'],
];
const LONGEST = 12;

/** What a file is by its first bytes, as words for its sender; nothing where they tell nothing. */
export async function signatureOf(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST), 0, LONGEST, 0);
    const beginning = buffer.toString('latin1', 0, bytesRead);
    return SIGNATURES.find(([signature]) => signature.test(beginning))?.[1];
  } finally {
    await file.close();
  }
}
