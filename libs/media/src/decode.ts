import type { Readable } from 'node:stream';
import { type SpeechFormat, ValidationError } from '@aigolos/contracts';
import { execa } from 'execa';
import { containerOf } from './containers.ts';
import { assertHasBytes, lockedInput, ranToItsEnd, type Tools, tailOf, toolFailed } from './ffmpeg.ts';
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
  tools: Tools,
  path: string,
  options: DecodeOptions & { signal: AbortSignal },
): AsyncGenerator<Float32Array, void> {
  const { signal } = options;
  signal.throwIfAborted();
  await assertHasBytes(path);
  const { cpuSeconds, silenceMs } = tools.limits;
  const confined = await tools.confine(tools.ffmpegPath, await decodeArguments(path, options), { cpuSeconds });
  signal.throwIfAborted();
  const ffmpeg = execa(confined.program, confined.args, {
    buffer: false,
    reject: false,
    stdin: 'ignore',
    cancelSignal: signal,
    killSignal: 'SIGKILL',
  });
  const stderr = tailOf(ffmpeg.stderr);
  let decoded = false;
  try {
    for await (const samples of toSamples(unlessSilent(ffmpeg.stdout, silenceMs, () => ffmpeg.kill('SIGKILL')))) {
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
  if (!ranToItsEnd(result, confined, stderr())) throw toolFailed('ffmpeg', result, stderr());
  // A file that is damaged further on keeps what could be read of it, as in every player.
  if (!decoded) throw nothingDecoded(stderr());
}

async function decodeArguments(path: string, { sampleRateHz, encodedAs }: DecodeOptions): Promise<string[]> {
  const { input, filter } = encodedAs === undefined ? {} : FORMATS[encodedAs];
  const from = input === undefined ? await inputByContent(path) : [...input.split(' '), '-i', `file:${path}`];
  const output = `-map 0:a:0 -vn -sn -dn -ac 1 -ar ${sampleRateHz} -f f32le pipe:1`;
  return [
    ...'-nostdin -hide_banner -v error'.split(' '),
    ...from,
    ...(filter === undefined ? [] : ['-af', filter]),
    ...output.split(' '),
  ];
}

async function inputByContent(path: string): Promise<string[]> {
  const container = await containerOf(path);
  if (container?.demuxer !== undefined) return lockedInput(path, container.demuxer);
  throw nothingDecoded(`no container of ours: ${container?.name ?? 'unknown'}`);
}

/** What a stream gives, unless it gives nothing for so long while it is waited for. */
async function* unlessSilent(stream: Readable, silenceMs: number, end: () => void): AsyncGenerator<Buffer> {
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const timer = setTimeout(end, silenceMs);
      const next = await pieces.next().finally(() => clearTimeout(timer));
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // What nobody reads any more has no end.
    await pieces.return?.();
  }
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
