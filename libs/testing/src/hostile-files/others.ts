import { gzipSync } from 'node:zlib';
import { noise } from './framed.ts';
import { filesCalled, type HostileFile, uint32, uint64 } from './hostile-file.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** What names other files and hosts, is an archive, is nothing, or is in a format that few have looked at. */
export function others(): HostileFile[] {
  return [...named(PLAYLISTS), ...named(archives()), ...named(oldFormats()), ...named(nothings())];
}

function named(files: [string, string, Buffer][]): HostileFile[] {
  return files.flatMap(([name, filename, content]) => filesCalled(filename, [[name, content, 'refused']]));
}

const SECRET = 'http://127.0.0.1:9/secret.ts';
const PLAYLISTS: [string, string, Buffer][] = [
  [
    'an HLS playlist',
    'speech.m3u8',
    latin1(`#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${SECRET}\n#EXT-X-ENDLIST\n`),
  ],
  ['an HLS playlist that is called an MP3', 'speech.mp3', latin1('#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n')],
  [
    'an HLS playlist of a playlist of itself',
    'speech.wav',
    latin1('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nspeech.wav\n'),
  ],
  ['a PLS playlist', 'speech.pls', latin1(`[playlist]\nFile1=${SECRET}\nNumberOfEntries=1\n`)],
  ['a concat script', 'speech.ogg', latin1("ffconcat version 1.0\nfile '/etc/passwd'\n")],
  [
    'an SDP description',
    'speech.sdp',
    latin1('v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n'),
  ],
  [
    'a DASH manifest with entities of entities',
    'speech.mpd',
    latin1(
      `<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY a "x"><!ENTITY b "${'&a;'.repeat(99)}"><!ENTITY c SYSTEM "file:///etc/passwd">]>` +
        `<MPD type="static"><Period><AdaptationSet><Representation><BaseURL>${SECRET}&b;&c;</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    ),
  ],
];

const TEN_MEGABYTES = 10 * 1024 ** 2;

function archives(): [string, string, Buffer][] {
  const bomb = gzipSync(Buffer.alloc(TEN_MEGABYTES));
  // A local file header that says 4 GB; what it says is of no interest.
  const zip = Buffer.concat([latin1('PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0'), uint32(0), Buffer.alloc(8, 0xff), bomb]);
  return [
    ['a gzip bomb', 'speech.wav', bomb],
    ['a gzip bomb in a gzip bomb', 'speech.wav', gzipSync(bomb)],
    ['a ZIP bomb', 'speech.m4a', zip],
  ];
}

function oldFormats(): [string, string, Buffer][] {
  const form = (kind: string, content: Buffer) =>
    Buffer.concat([latin1('FORM'), uint32(2 ** 32 - 1), latin1(kind), content]);
  const common = Buffer.concat([
    latin1('COMM'),
    uint32(18),
    latin1('\0\x01'),
    uint32(2 ** 32 - 1),
    latin1('\0\x10'),
    Buffer.alloc(10, 0xff),
  ]);
  const packets = Buffer.alloc(188 * 1_000);
  for (let at = 0; at < packets.length; at += 188) packets[at] = 0x47;
  return [
    [
      'an AIFF at a rate that is no number',
      'speech.aiff',
      form('AIFF', Buffer.concat([common, latin1('SSND'), uint32(2 ** 32 - 1), noise(5_000)])),
    ],
    [
      'an AU whose sound begins behind 4 GB',
      'speech.au',
      Buffer.concat([latin1('.snd'), ...[2 ** 32 - 1, 2 ** 32 - 1, 3, 0, 0].map(uint32), noise(5_000)]),
    ],
    [
      'a CAF with a chunk of negative length',
      'speech.caf',
      Buffer.concat([latin1('caff\0\x01\0\0desc'), uint64(2n ** 64n - 2n), noise(500)]),
    ],
    [
      'an AVI of lists in lists',
      'speech.avi',
      Buffer.concat([
        latin1('RIFF\xff\xff\xff\x7fAVI '),
        ...Array.from({ length: 20_000 }, () => latin1('LIST\xff\xff\xff\x7fhdrl')),
      ]),
    ],
    ['an FLV of noise', 'speech.flv', Buffer.concat([latin1('FLV\x01\x05\0\0\0\x09\0\0\0\0'), noise(50_000)])],
    [
      'a WMA whose header has 16 exabytes',
      'speech.wma',
      Buffer.concat([Buffer.from('3026b2758e66cf11a6d900aa0062ce6c', 'hex'), Buffer.alloc(8, 0xff), noise(5_000)]),
    ],
    ['an MPEG transport stream of nothing', 'speech.ts', packets],
    ['an MPEG of noise', 'speech.mpg', Buffer.concat([latin1('\0\0\x01\xba'), noise(50_000)])],
    [
      "a Monkey's Audio of noise",
      'speech.ape',
      Buffer.concat([latin1('MAC \x96\x0f'), Buffer.alloc(50, 0xff), noise(5_000)]),
    ],
    ['a WavPack of noise', 'speech.wv', Buffer.concat([latin1('wvpk'), noise(5_000)])],
    ['a True Audio of noise', 'speech.tta', Buffer.concat([latin1('TTA1'), noise(5_000)])],
    ['a VOC of noise', 'speech.voc', Buffer.concat([latin1('Creative Voice File\x1a\x1a\0'), noise(5_000)])],
  ];
}

function nothings(): [string, string, Buffer][] {
  return [
    ['nothing', 'speech.wav', Buffer.alloc(0)],
    ['one byte', 'speech.wav', Buffer.alloc(1)],
    ['a megabyte of zeros', 'speech.wav', Buffer.alloc(1_000_000)],
    ['a megabyte of ones', 'speech.mp3', Buffer.alloc(1_000_000, 0xff)],
    ['a megabyte of noise', 'speech.mp3', noise(1_000_000)],
    ['a text in UTF-16', 'speech.txt', Buffer.from('\ufeffRemember the milk. '.repeat(500), 'utf16le')],
  ];
}
