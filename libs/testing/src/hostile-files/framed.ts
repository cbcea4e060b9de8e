import { filesCalled, type HostileFile, patched, patchedAfter, uint32 } from './hostile-file.ts';
import { hugePicture, type Sounds } from './sounds.ts';

/** FLAC, MP3 and Ogg. */
export function framed({ flac, silence, mp3, ogg, shortOgg, withHugeCover }: Sounds): HostileFile[] {
  return [...flacs(flac, silence), ...mp3s(mp3, withHugeCover), ...oggs(ogg, shortOgg)];
}

/** Where STREAMINFO has the rate (20 bits), channels, depth and number of samples (36 bits). Source: RFC 9639, 8.2. */
const FLAC_RATE_AT = 18;
const HOURS_3 = 3 * 60 * 60 * 16_000;

function flacs(flac: Buffer, silence: Buffer): HostileFile[] {
  const total = (samples: number, file = flac) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE((file.readBigUInt64BE(FLAC_RATE_AT) & ~0xfffffffffn) | BigInt(samples));
    return patched(file, FLAC_RATE_AT, bytes);
  };
  const block = (type: number, bytes: number, content: Buffer) =>
    Buffer.concat([flac.subarray(0, 42), uint32(type * 2 ** 24 + bytes), content, flac.subarray(42)]);
  const picture = hugePicture();
  const mime = Buffer.from('image/png');
  const sizes = Buffer.concat([15_000, 15_000, 24, 0].map(uint32));
  const cover = Buffer.concat([
    uint32(3),
    uint32(mime.length),
    mime,
    uint32(0),
    sizes,
    uint32(picture.length),
    picture,
  ]);
  return filesCalled('speech.flac', [
    ['a FLAC of 42 bytes that says two hours', total((HOURS_3 * 2) / 3).subarray(0, 42), 'refused'],
    ['a FLAC of a second that says three hours', total(HOURS_3), 'refused'],
    ['a FLAC of a second that says one sample', total(1), 'either'],
    ['a FLAC of twenty minutes of nothing that says a second', total(16_000, silence), 'refused'],
    ['a FLAC at no rate', patched(flac, FLAC_RATE_AT, Buffer.from([0, 0, (flac[20] ?? 0) & 0x0f])), 'either'],
    ['a FLAC with a picture of 16 MB that is not there', block(6, 0xffffff, Buffer.alloc(0)), 'refused'],
    ['a FLAC with a picture of 700 MB in it', block(6, cover.length, cover), 'heard'],
    ['a FLAC that is cut in a frame', flac.subarray(0, flac.length / 2), 'either'],
    ['a FLAC whose frames are noise', Buffer.concat([flac.subarray(0, 42), noise(50_000)]), 'refused'],
  ]);
}

function mp3s(mp3: Buffer, withHugeCover: Buffer): HostileFile[] {
  const tag = (bytes: number, content = Buffer.alloc(0)) => {
    const size = [21, 14, 7, 0].map((shift) => (bytes >>> shift) & 0x7f);
    return Buffer.concat([Buffer.from('ID3\x04\0\0', 'latin1'), Buffer.from(size), content]);
  };
  const playlist = Buffer.from('#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/secret.mp3\nfile:///etc/passwd\n');
  const frames = (count: number) => patchedAfter(mp3, mp3.includes('Xing') ? 'Xing' : 'Info', [8, uint32(count)]);
  return filesCalled('speech.mp3', [
    ['an MP3 that says it has 4,294,967,295 frames', frames(2 ** 32 - 1), 'refused'],
    ['an MP3 that says it has one frame', frames(1), 'either'],
    ['an MP3 with a tag of 256 MB that is not there', Buffer.concat([tag(2 ** 28 - 1), mp3]), 'refused'],
    ['a playlist behind the tag of an MP3', Buffer.concat([tag(0), playlist]), 'refused'],
    ['a playlist in the tag of an MP3', tag(playlist.length, playlist), 'refused'],
    ['an MP3 behind 1,000 tags', Buffer.concat([...Array.from({ length: 1_000 }, () => tag(0)), mp3]), 'either'],
    ['an MP3 with a cover of 700 MB', withHugeCover, 'heard'],
    ['an MP3 whose first frame is cut', mp3.subarray(500), 'heard'],
    ['an MP3 with a web page before it', Buffer.concat([Buffer.from('<html><script>x()</script>'), mp3]), 'refused'],
    ['an MP3 with a PDF before it', Buffer.concat([Buffer.from('%PDF-1.7\n'), mp3]), 'refused'],
    [
      'a GIF with a script and an MP3 in it',
      Buffer.concat([Buffer.from('GIF89a/*'), mp3, Buffer.from('*/=1')]),
      'heard',
    ],
    [
      'frames of an MP3 without anything in them',
      Buffer.concat(Array.from({ length: 20 }, () => mp3.subarray(0, 4))),
      'refused',
    ],
  ]);
}

const OGG_GRANULE_AT = 6;
const OGG_SERIAL_AT = 14;
const OGG_CRC_AT = 22;
const STREAMS = 10_000;

function oggs(ogg: Buffer, short: Buffer): HostileFile[] {
  const granule = (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    const last = ogg.lastIndexOf('OggS');
    return Buffer.concat([ogg.subarray(0, last), sealed(patched(ogg.subarray(last), OGG_GRANULE_AT, bytes))]);
  };
  const emptyPage = Buffer.concat([Buffer.from('OggS', 'latin1'), Buffer.alloc(23)]);
  const pages = pagesOf(short);
  const chained = Array.from({ length: STREAMS }, (_, serial) => {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(serial + 1);
    return pages.map((page) => sealed(patched(page, OGG_SERIAL_AT, number)));
  });
  return filesCalled('speech.ogg', [
    ['an Ogg that ends in a million years', granule(2n ** 61n), 'refused'],
    ['an Ogg that ends before it begins', granule(-(2n ** 61n)), 'either'],
    ['an Ogg of 10,000 streams, one after another', Buffer.concat(chained.flat()), 'either'],
    ['an Ogg of 10,000 streams at once', Buffer.concat(chained.map(([first]) => first ?? emptyPage)), 'refused'],
    [
      'an Ogg of 100,000 pages with nothing in them',
      Buffer.concat(Array.from({ length: 100_000 }, () => emptyPage)),
      'refused',
    ],
    ['an Ogg that ends behind its headers', Buffer.concat(pagesOf(ogg).slice(0, 2)), 'refused'],
    ['an Ogg whose sound is noise', Buffer.concat([...pagesOf(ogg).slice(0, 2), noise(50_000)]), 'refused'],
  ]);
}

function pagesOf(ogg: Buffer): Buffer[] {
  const pages: Buffer[] = [];
  for (let start = 0; start !== -1; ) {
    const next = ogg.indexOf('OggS', start + 4);
    pages.push(ogg.subarray(start, next === -1 ? undefined : next));
    start = next;
  }
  return pages;
}

/** A page with the checksum of what is in it now. Source: RFC 3533, 6. */
function sealed(page: Buffer): Buffer {
  const blank = patched(page, OGG_CRC_AT, Buffer.alloc(4));
  let sum = 0;
  for (const byte of blank) sum = ((sum << 8) ^ (CRC_TABLE[((sum >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  blank.writeUInt32LE(sum, OGG_CRC_AT);
  return blank;
}

const CRC_TABLE = Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = (value << 1) ^ (value < 0 ? 0x04c11db7 : 0);
  return value;
});

/** Always the same bytes, in which nothing is to be found. */
export function noise(bytes: number): Buffer {
  let state = 1;
  return Buffer.from(
    Array.from({ length: bytes }, () => {
      // Source of the constants: Numerical Recipes, ranqd1.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
}
