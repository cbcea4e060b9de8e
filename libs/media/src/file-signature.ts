import { open } from 'node:fs/promises';

/** What stands near the beginning of files of the common containers, and where; bytes as Latin-1. */
const SIGNATURES: { at: number; bytes: string; name: string }[] = [
  { at: 8, bytes: 'WAVE', name: 'a WAV' },
  { at: 0, bytes: 'fLaC', name: 'a FLAC' },
  { at: 0, bytes: 'OggS', name: 'an Ogg' },
  { at: 4, bytes: 'ftyp', name: 'an MP4 or M4A' },
  { at: 0, bytes: '\x1aE\xdf\xa3', name: 'a WebM or Matroska' },
  { at: 0, bytes: 'ID3', name: 'an MP3' },
];
const LONGEST = 12;

/** What a file is by its first bytes, as words for its sender; nothing where they tell nothing. */
export async function signatureOf(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST), 0, LONGEST, 0);
    const beginning = buffer.toString('latin1', 0, bytesRead);
    return SIGNATURES.find(({ at, bytes }) => beginning.startsWith(bytes, at))?.name;
  } finally {
    await file.close();
  }
}
