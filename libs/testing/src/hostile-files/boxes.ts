import { filesCalled, type HostileFile, patchedAfter, uint32, uint64 } from './hostile-file.ts';
import { type Sounds } from './sounds.ts';
import { wave } from './waves.ts';

/** MP4 and Matroska. */
export function boxes({ m4a, webm, silentFilm, withAttachment }: Sounds): HostileFile[] {
  return [
    ...filesCalled('speech.m4a', mp4s(m4a)),
    ...filesCalled('speech.mp4', [['a film without sound', silentFilm, 'refused']]),
    ...filesCalled('speech.webm', matroskas(webm)),
    ...filesCalled('speech.mkv', [
      ['a Matroska with a file attached', withAttachment, 'heard'],
      ['a Matroska that goes on in other files', linkedMatroska(), 'heard'],
    ]),
  ];
}

type Row = [string, Buffer, HostileFile['outcome']];

const FTYP = Buffer.concat([uint32(16), Buffer.from('ftypM4A \0\0\0\0', 'latin1')]);
const most = uint32(2 ** 32 - 1);

/** Source of the boxes: ISO/IEC 14496-12; offsets count from a box's name. */
function mp4s(m4a: Buffer): Row[] {
  const box = (name: string, content: Buffer) =>
    Buffer.concat([uint32(content.length + 8), Buffer.from(name, 'latin1'), content]);
  const nested = (depth: number) => {
    const name = Buffer.from('moov', 'latin1');
    const headers = Array.from({ length: depth }, (_, level) => Buffer.concat([uint32(8 * (depth - level)), name]));
    return Buffer.concat(headers);
  };
  const large = Buffer.concat([uint32(1), Buffer.from('moov', 'latin1'), uint64(2n ** 63n - 1n)]);
  const index = (name: string, offset: number, patch: Buffer) => patchedAfter(m4a, name, [offset, patch]);
  // The flag says that the data lie in this file; without it, where the URL says.
  const elsewhere = Buffer.concat([uint32(0), Buffer.from('file:///etc/passwd\0')]);
  const withReference = replaceBox(m4a, 'url ', box('url ', elsewhere));
  return [
    ['an MP4 of 20,000 boxes in one another', Buffer.concat([FTYP, nested(20_000)]), 'refused'],
    ['an MP4 with a box of 8 exabytes', Buffer.concat([FTYP, large, m4a.subarray(16)]), 'refused'],
    ['an MP4 with a box that ends where it begins', Buffer.concat([FTYP, uint32(4), Buffer.from('moov')]), 'refused'],
    [
      'an MP4 of 100,000 empty boxes',
      Buffer.concat([FTYP, ...Array.from({ length: 100_000 }, () => box('free', Buffer.alloc(0)))]),
      'refused',
    ],
    ['an MP4 that times 4,294,967,295 samples', index('stts', 8, most), 'either'],
    ['an MP4 whose samples last 37 hours each', index('stts', 16, most), 'either'],
    ['an MP4 that sizes 4,294,967,295 samples', index('stsz', 12, most), 'either'],
    ['an MP4 with samples of 4 GB', index('stsz', 8, most), 'refused'],
    ['an MP4 whose chunks lie behind its end', index('stco', 12, most), 'refused'],
    ['an MP4 without a unit of time', index('mdhd', 16, uint32(0)), 'either'],
    ['an MP4 of negative length', index('mdhd', 20, most), 'either'],
    ['an MP4 whose sound lies in /etc/passwd', withReference, 'either'],
    ['an MP4 without its index', m4a.subarray(0, m4a.lastIndexOf('moov') - 4), 'refused'],
    ['an MP4 that is cut in its index', m4a.subarray(0, m4a.lastIndexOf('moov') + 200), 'refused'],
  ];
}

/** Puts a box in another's place, and tells those around it how long they are now. */
function replaceBox(file: Buffer, name: string, box: Buffer): Buffer {
  const at = file.lastIndexOf(name) - 4;
  const grown = box.length - file.readUInt32BE(at);
  const changed = Buffer.concat([file.subarray(0, at), box, file.subarray(at + file.readUInt32BE(at))]);
  for (const around of ['moov', 'trak', 'mdia', 'minf', 'dinf', 'dref']) {
    const start = file.lastIndexOf(around, at) - 4;
    changed.writeUInt32BE(file.readUInt32BE(start) + grown, start);
  }
  return changed;
}

function matroskas(webm: Buffer): Row[] {
  const head = webm.subarray(0, webm.indexOf(Buffer.from([0x18, 0x53, 0x80, 0x67])));
  const segment = Buffer.concat([Buffer.from([0x18, 0x53, 0x80, 0x67, 0x01]), Buffer.alloc(7, 0xff)]);
  const nested = Buffer.concat(Array.from({ length: 20_000 }, () => segment));
  const huge = Buffer.concat([segment, Buffer.from([0x16, 0x54, 0xae, 0x6b, 0x01]), Buffer.alloc(7, 0xfe)]);
  return [
    ['a WebM of 20,000 segments in one another', Buffer.concat([head, nested]), 'refused'],
    ['a WebM with tracks of 64 petabytes', Buffer.concat([head, huge, webm.subarray(head.length)]), 'either'],
    ['a WebM that ends behind its head', head, 'refused'],
    ['a WebM that is cut in the middle', webm.subarray(0, webm.length / 2), 'either'],
  ];
}

/** Source of the elements: RFC 9559, 5.1. */
function linkedMatroska(): Buffer {
  const element = (id: string, content: Buffer) =>
    Buffer.concat([Buffer.from(id, 'hex'), uint32(0x10000000 + content.length), content]);
  const text = (id: string, value: string) => element(id, Buffer.from(value));
  const number = (id: string, value: number) => element(id, uint32(value));
  const rate = Buffer.alloc(4);
  rate.writeFloatBE(16_000);
  const audio = element('e1', Buffer.concat([element('b5', rate), number('9f', 1), number('6264', 16)]));
  const track = Buffer.concat([
    number('d7', 1),
    number('73c5', 1),
    number('83', 2),
    text('86', 'A_PCM/INT/LIT'),
    audio,
  ]);
  const block = Buffer.concat([Buffer.from([0x81, 0, 0, 0x80]), wave().subarray(44)]);
  const info = [
    number('2ad7b1', 1_000_000),
    text('3c83ab', '/etc/passwd'),
    text('3e83bb', 'http://127.0.0.1:9/next.mkv'),
    element('3eb923', Buffer.alloc(16, 1)),
  ];
  return Buffer.concat([
    element('1a45dfa3', Buffer.concat([text('4282', 'matroska'), number('4287', 4), number('4285', 2)])),
    element(
      '18538067',
      Buffer.concat([
        element('1549a966', Buffer.concat(info)),
        element('1654ae6b', element('ae', track)),
        element('1f43b675', Buffer.concat([number('e7', 0), element('a3', block)])),
      ]),
    ),
  ]);
}
