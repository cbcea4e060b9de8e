import { filesCalled, type HostileFile } from './hostile-file.ts';

interface Wave {
  riffBytes?: number;
  fmtBytes?: number;
  format?: number;
  channels?: number;
  rateHz?: number;
  blockBytes?: number;
  bits?: number;
  /** As the header says. */
  dataBytes?: number;
  samples?: Buffer;
  before?: Buffer;
}

const TONE = Buffer.alloc(32_000);
for (let index = 0; index < 16_000; index += 1) TONE.writeInt16LE(Math.round(8_000 * Math.sin(index / 6)), index * 2);

/** A second of a tone at 16 kHz, behind a header that says what it is told to. Source of the layout: RFC 2361; Microsoft's RIFF. */
export function wave({
  format = 1,
  channels = 1,
  rateHz = 16_000,
  bits = 16,
  blockBytes = 2,
  samples = TONE,
  before = Buffer.alloc(0),
  fmtBytes = 16,
  dataBytes = samples.length,
  riffBytes = 36 + before.length + samples.length,
}: Wave = {}): Buffer {
  const header = Buffer.alloc(36);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(riffBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(fmtBytes, 16);
  header.writeUInt16LE(format, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rateHz, 24);
  header.writeUInt32LE((rateHz * blockBytes) % 2 ** 32, 28);
  header.writeUInt16LE(blockBytes, 32);
  header.writeUInt16LE(bits, 34);
  return Buffer.concat([header, before, chunk('data', dataBytes), samples]);
}

function chunk(name: string, bytes: number): Buffer {
  const header = Buffer.alloc(8);
  header.write(name, 0, 'latin1');
  header.writeUInt32LE(bytes, 4);
  return header;
}

export function waves(): HostileFile[] {
  const lists = Buffer.concat(Array.from({ length: 10_000 }, () => Buffer.from('LIST\x04\0\0\0INFO', 'latin1')));
  return filesCalled('speech.wav', [
    ['a WAV that says it has 4 GB', wave({ dataBytes: 2 ** 32 - 1, riffBytes: 2 ** 32 - 1 }), 'heard'],
    ['a WAV that says it has less than nothing', wave({ dataBytes: 2 ** 31 }), 'heard'],
    ['a WAV that says it has nothing', wave({ dataBytes: 0, riffBytes: 0 }), 'either'],
    ['a WAV of 65,535 channels', wave({ channels: 65_535, blockBytes: 65_535 }), 'refused'],
    ['a WAV of 255 channels', wave({ channels: 255, blockBytes: 510 }), 'either'],
    ['a WAV without a channel', wave({ channels: 0 }), 'refused'],
    ['a WAV at no rate', wave({ rateHz: 0 }), 'refused'],
    ['a WAV at 4 GHz', wave({ rateHz: 2 ** 32 - 1 }), 'refused'],
    ['a WAV at 1 Hz, so that a second lasts hours', wave({ rateHz: 1 }), 'refused'],
    ['a WAV at 60 Hz', wave({ rateHz: 60 }), 'either'],
    ['a WAV of no bits', wave({ bits: 0, blockBytes: 0 }), 'refused'],
    ['a WAV of 65,535 bits', wave({ bits: 65_535 }), 'refused'],
    ['a WAV of a codec that nobody knows', wave({ format: 0xbeef }), 'refused'],
    ['a WAV of ADPCM in blocks of 64 KB', wave({ format: 0x11, bits: 4, blockBytes: 65_535 }), 'either'],
    ['a WAV whose format is 4 GB long', wave({ fmtBytes: 2 ** 32 - 1 }), 'refused'],
    ['a WAV of 10,000 lists', wave({ before: lists }), 'heard'],
    ['a WAV with a chunk of 4 GB before its sound', wave({ before: chunk('junk', 2 ** 32 - 1) }), 'refused'],
    ['a WAV that ends behind its header', wave().subarray(0, 44), 'refused'],
    ['a WAV that ends in its header', wave().subarray(0, 22), 'refused'],
    ['a WAV with a script as its size', Buffer.concat([Buffer.from('RIFF/*  WAVE*/=1;alert(1)')]), 'refused'],
    ['a WAV with an archive behind it', Buffer.concat([wave(), Buffer.from('PK\x03\x04'), Buffer.alloc(500)]), 'heard'],
  ]);
}
