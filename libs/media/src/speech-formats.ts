import type { SpeechFormat } from '@aigolos/contracts';

interface FormatOptions {
  contentType: string;
  /** How ffmpeg writes it to a file, and to a stream, where nothing that was written can be changed later. */
  file: string;
  stream: string;
  /** How ffmpeg reads a file of it that says nothing of itself. */
  input?: string;
  /** What it leaves out of what it reads. */
  filter?: string;
}

/** Raw samples have the rate that OpenAI's have, whatever the voice's is. */
const PCM_RATE_HZ = 24_000;

const OPUS = '-c:a libopus -ar 48000 -b:a 64k -application voip';
const AAC = '-c:a aac -b:a 96k';
const FLAC = '-c:a flac -sample_fmt s16';
const PCM = `-c:a pcm_s16le -ar ${PCM_RATE_HZ} -f s16le`;

/** How speech is written and read again. Rates are the voice's, but for Opus, which has its own, and raw samples. */
export const FORMATS: Record<SpeechFormat, FormatOptions> = {
  // A stream has no place for a table of its length, so its bits come at a constant rate, which tells the length too.
  mp3: {
    contentType: 'audio/mpeg',
    file: '-c:a libmp3lame -q:a 2 -f mp3',
    stream: '-c:a libmp3lame -b:a 128k -write_xing 0 -id3v2_version 0 -flush_packets 1 -f mp3',
  },
  wav: {
    contentType: 'audio/wav',
    file: '-c:a pcm_s16le -f wav',
    stream: '-c:a pcm_s16le -flush_packets 1 -f wav',
  },
  // In Ogg (RFC 7845); a page is heard only when it is whole, so those of a stream are short.
  opus: {
    contentType: 'audio/ogg',
    file: `${OPUS} -f ogg`,
    stream: `${OPUS} -page_duration 200000 -flush_packets 1 -f ogg`,
  },
  aac: {
    contentType: 'audio/aac',
    file: `${AAC} -f adts`,
    stream: `${AAC} -flush_packets 1 -f adts`,
    // The silence that the encoder begins with; ADTS has no place to say so.
    filter: 'atrim=start_sample=1024',
  },
  flac: {
    contentType: 'audio/flac',
    file: `${FLAC} -f flac`,
    stream: `${FLAC} -flush_packets 1 -f flac`,
  },
  pcm: {
    contentType: 'audio/pcm',
    file: PCM,
    stream: `-flush_packets 1 ${PCM}`,
    input: `-f s16le -ar ${PCM_RATE_HZ} -ac 1`,
  },
};

export function contentTypeOf(format: SpeechFormat): string {
  return FORMATS[format].contentType;
}
