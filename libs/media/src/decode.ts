import { type SpeechFormat, ValidationError } from '@aigolos/contracts';
import { execa } from 'execa';
import { assertHasBytes, lockedInput, ranToItsEnd, tailOf, toolFailed } from './ffmpeg.ts';
import { FORMATS } from './speech-formats.ts';

const BYTES_PER_SAMPLE = Float32Array.BYTES_PER_ELEMENT;

export interface DecodeOptions {
  /** Of the samples that are given. */
  sampleRateHz: number;
  /** The file was encoded here, in this format: what it does not say of itself is known. */
  encodedAs?: SpeechFormat;
}

/** See `Media.decode`. */
export async function* decode(
  ffmpegPath: string,
  path: string,
  options: DecodeOptions & { signal: AbortSignal },
): AsyncGenerator<Float32Array, void> {
  const { signal } = options;
  signal.throwIfAborted();
  await assertHasBytes(path);
  const ffmpeg = execa(ffmpegPath, decodeArguments(path, options), {
    buffer: false,
    reject: false,
    stdin: 'ignore',
    cancelSignal: signal,
    killSignal: 'SIGKILL',
  });
  const stderr = tailOf(ffmpeg.stderr);
  let decoded = false;
  try {
    for await (const samples of toSamples(ffmpeg.stdout)) {
      signal.throwIfAborted();
      decoded = true;
      yield samples;
    }
  } finally {
    ffmpeg.kill('SIGKILL');
    await ffmpeg;
  }
  const result = await ffmpeg;
  signal.throwIfAborted();
  if (!ranToItsEnd(result)) throw toolFailed('ffmpeg', result, stderr());
  // A file that is damaged further on keeps what could be read of it, as in every player.
  if (!decoded) throw nothingDecoded(stderr());
}

function decodeArguments(path: string, { sampleRateHz, encodedAs }: DecodeOptions): string[] {
  const { input, filter } = encodedAs === undefined ? {} : FORMATS[encodedAs];
  const from = input === undefined ? lockedInput(path) : [...input.split(' '), '-i', `file:${path}`];
  const output = `-map 0:a:0 -vn -sn -dn -ac 1 -ar ${sampleRateHz} -f f32le pipe:1`;
  return [
    ...'-nostdin -hide_banner -v error'.split(' '),
    ...from,
    ...(filter === undefined ? [] : ['-af', filter]),
    ...output.split(' '),
  ];
}

/** Pipes cut bytes anywhere; a sample that is split waits for its other part. */
async function* toSamples(stream: AsyncIterable<Buffer>): AsyncGenerator<Float32Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of stream) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const whole = bytes.length - (bytes.length % BYTES_PER_SAMPLE);
    rest = bytes.subarray(whole);
    // Copied, because a Float32Array needs an aligned start and the buffer is Node's to reuse.
    if (whole > 0) yield new Float32Array(new Uint8Array(bytes.subarray(0, whole)).buffer);
  }
}

function nothingDecoded(cause: string): ValidationError {
  return new ValidationError('No sound could be decoded from the file; it may be cut off or damaged.', {
    code: 'AUDIO_EMPTY',
    param: 'file',
    cause: new Error(cause),
  });
}
