import { tmpdir } from 'node:os';
import type { SpeechFormat } from '@aigolos/contracts';
import { decode } from './decode.ts';
import { type EncodedAudio, encode, type PcmAudio } from './encode.ts';
import { type AudioProbe, probe } from './probe.ts';

export type { AudioProbe, EncodedAudio, PcmAudio };

export interface Media {
  /**
   * Looks at a file without decoding it.
   * @throws ValidationError `AUDIO_EMPTY` (no bytes) or `AUDIO_NOT_RECOGNISED` (not a container that is read here, or no
   *   audio in it; the message says which); AIGolosError `MEDIA_TOOL_FAILED`, retryable, when ffprobe cannot be run.
   */
  probe(path: string, signal?: AbortSignal): Promise<AudioProbe>;
  /**
   * Decodes the first audio stream of a file to mono f32 PCM in [-1, 1], in pieces of about a second at 16 kHz. Reads no
   * faster than the pieces are taken, so memory does not grow with the file. Leaving the loop, or an abort, ends ffmpeg.
   * @throws ValidationError `AUDIO_EMPTY` when nothing can be decoded; AIGolosError `MEDIA_TOOL_FAILED`, retryable;
   *   `signal.reason` on abort.
   */
  decode(path: string, options: { sampleRateHz: number }, signal: AbortSignal): AsyncGenerator<Float32Array, void>;
  /**
   * Encodes mono PCM while it comes and resolves when the last of it is written, so that the file's header is right and
   * its size and length are known before it is stored. The bytes lie in an unlinked temporary file that is gone once
   * `stream` has been read or destroyed; the caller must do one of the two.
   *
   * All pieces have one rate. Where none comes, the file holds a tenth of a second of silence, as a file without any
   * sound cannot be played.
   * @throws what `pcm` throws; AIGolosError `MEDIA_TOOL_FAILED`, retryable; `signal.reason` on abort.
   */
  encode(pcm: AsyncIterable<PcmAudio>, format: SpeechFormat, signal: AbortSignal): Promise<EncodedAudio>;
}

export interface MediaTools {
  /** Names to look up on PATH, or files. */
  ffmpegPath: string;
  ffprobePath: string;
  /** Where files lie while they are encoded; the system's folder for temporary files unless said. */
  tempDir?: string;
}

export function createMedia(tools: MediaTools): Media {
  const { tempDir = tmpdir() } = tools;
  return {
    probe: (path, signal) => probe(tools.ffprobePath, path, signal),
    decode: (path, options, signal) => decode(tools.ffmpegPath, path, { ...options, signal }),
    encode: (pcm, format, signal) => encode(tools.ffmpegPath, pcm, { format, signal, tempDir }),
  };
}
