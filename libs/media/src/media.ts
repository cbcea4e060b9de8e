import { availableParallelism, tmpdir } from 'node:os';
import type { SpeechFormat } from '@aigolos/contracts';
import type { Logger } from '@aigolos/runtime';
import pLimit from 'p-limit';
import { createConfinement, DEFAULT_LIMITS, type ToolLimits } from './confinement.ts';
import { type DecodeOptions, decode } from './decode.ts';
import { type EncodedAudio, type EncodeOptions, encode, encodeStream, type PcmAudio } from './encode.ts';
import type { Tools } from './ffmpeg.ts';
import { measureSeconds } from './measure-seconds.ts';
import { type AudioProbe, probe } from './probe.ts';

export { contentTypeOf } from './speech-formats.ts';
export type { AudioProbe, DecodeOptions, EncodedAudio, EncodeOptions, PcmAudio };

export interface Media {
  /**
   * Looks at a file without decoding it.
   * @throws ValidationError `AUDIO_EMPTY` (no bytes, or no sound) or `AUDIO_NOT_RECOGNISED` (not a container that is read
   *   here, one that is cut off, or no audio in it; the message says which); AIGolosError `MEDIA_TOOL_FAILED`, retryable, when ffprobe cannot be run.
   */
  probe(path: string, signal?: AbortSignal): Promise<AudioProbe>;
  /**
   * How long the first audio stream of a file is, for containers that do not say. Reads the whole file and decodes
   * nothing (an hour in about a second). @returns undefined where it cannot be told; throws `signal.reason` on abort.
   */
  measureSeconds(path: string, signal: AbortSignal): Promise<number | undefined>;
  /**
   * Decodes the first audio stream of a file to mono f32 PCM in [-1, 1], in pieces of about a second at 16 kHz. Reads no
   * faster than the pieces are taken, so memory does not grow with the file. Leaving the loop, or an abort, ends ffmpeg.
   * @throws ValidationError `AUDIO_EMPTY` when nothing can be decoded; AIGolosError `MEDIA_TOOL_FAILED`, retryable;
   *   `signal.reason` on abort.
   */
  decode(path: string, options: DecodeOptions, signal: AbortSignal): AsyncGenerator<Float32Array, void>;
  /**
   * Encodes mono PCM while it comes and resolves when the last of it is written, so that the file's header is right and
   * its size and length are known before it is stored. The bytes lie in an unlinked temporary file that is gone once
   * `stream` has been read or destroyed; the caller must do one of the two.
   *
   * All pieces have one rate. Where none comes, the file holds a tenth of a second of silence, as a file without any
   * sound cannot be played.
   * @throws what `pcm` throws; AIGolosError `MEDIA_TOOL_FAILED`, retryable; `signal.reason` on abort.
   */
  encode(pcm: AsyncIterable<PcmAudio>, options: EncodeOptions, signal: AbortSignal): Promise<EncodedAudio>;
  /**
   * Encodes mono PCM to a stream while it comes: what can be heard already is told at once, and no header can say how long
   * it will be. Leaving the loop, or an abort, ends ffmpeg.
   * @throws as `encode`.
   */
  encodeStream(pcm: AsyncIterable<PcmAudio>, format: SpeechFormat, signal: AbortSignal): AsyncGenerator<Buffer>;
}

export interface MediaTools {
  /** Names to look up on PATH, or files. */
  ffmpegPath: string;
  ffprobePath: string;
  /** Where files lie while they are encoded; the system's folder for temporary files unless said. */
  tempDir?: string;
  /** Less, or more, than a file may cost by default. */
  limits?: Partial<ToolLimits>;
  /** Is told where the system cannot keep these limits. */
  log?: Pick<Logger, 'warn'>;
}

export interface MediaConfig {
  FFMPEG_PATH: string;
  FFPROBE_PATH: string;
  FFMPEG_MEMORY_MB: number;
  FFMPEG_CPU_SECONDS: number;
  FFMPEG_SILENCE_MS: number;
}

/** As an operator has configured it. */
export function openMedia(config: MediaConfig, more: Pick<MediaTools, 'tempDir' | 'log'>): Media {
  return createMedia({
    ...more,
    ffmpegPath: config.FFMPEG_PATH,
    ffprobePath: config.FFPROBE_PATH,
    limits: {
      memoryBytes: config.FFMPEG_MEMORY_MB * 1024 ** 2,
      cpuSeconds: config.FFMPEG_CPU_SECONDS,
      silenceMs: config.FFMPEG_SILENCE_MS,
    },
  });
}

export function createMedia({ ffmpegPath, ffprobePath, tempDir = tmpdir(), limits: given, log }: MediaTools): Media {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const tools: Tools = { ffmpegPath, ffprobePath, limits, confine: createConfinement(limits.memoryBytes, log) };
  // A crowd of files waits its turn, instead of having a process for each.
  const inTurn = pLimit(availableParallelism());
  return {
    probe: (path, signal) => inTurn(() => probe(tools, path, signal)),
    measureSeconds: (path, signal) => measureSeconds(tools, path, signal),
    decode: (path, options, signal) => decode(tools, path, { ...options, signal }),
    encode: (pcm, options, signal) => encode(tools, pcm, { ...options, signal, tempDir }),
    encodeStream: (pcm, format, signal) => encodeStream(tools, pcm, { format, signal }),
  };
}
