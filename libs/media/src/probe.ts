import { ValidationError } from '@aigolos/contracts';
import { execa } from 'execa';
import { z } from 'zod';
import { assertHasBytes, lockedInput, ranToItsEnd, toolFailed } from './ffmpeg.ts';

/** What a file's container says of its first audio stream. */
export interface AudioProbe {
  /** ffmpeg's name, such as `mp3`, `ogg` or `mov,mp4,m4a,3gp,3g2,mj2`. */
  container: string;
  audioCodec: string;
  /** Absent where the container does not say, as in a WebM that a browser recorded. */
  durationSeconds: number | undefined;
  sampleRateHz: number;
  channels: number;
}

const PROBE_TIMEOUT_MS = 30_000;

const SecondsSchema = z.coerce.number().positive().optional().catch(undefined);
const ProbeSchema = z.object({
  format: z.object({ format_name: z.string(), duration: SecondsSchema }),
  streams: z.array(
    z.object({
      codec_type: z.string().default('unknown'),
      codec_name: z.string().default('unknown'),
      sample_rate: z.coerce.number().catch(0),
      channels: z.number().catch(0),
      duration: SecondsSchema,
    }),
  ),
});

/** See `Media.probe`. */
export async function probe(ffprobePath: string, path: string, signal?: AbortSignal): Promise<AudioProbe> {
  signal?.throwIfAborted();
  await assertHasBytes(path);
  const result = await execa(ffprobePath, probeArguments(path), {
    reject: false,
    stdin: 'ignore',
    timeout: PROBE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    ...(signal && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (!ranToItsEnd(result)) throw toolFailed('ffprobe', result, result.stderr);
  if (result.exitCode !== 0) throw notAudio('It is not a sound or video file', result.stderr);
  const { format, streams } = ProbeSchema.parse(JSON.parse(result.stdout));
  const audio = streams.find((stream) => stream.codec_type === 'audio');
  if (!audio) throw notAudio(`It has no audio stream${nameAll(streams)}`);
  if (audio.sample_rate === 0 || audio.channels === 0) throw notAudio('It looks like audio, but no sound is in it');
  return {
    container: format.format_name,
    audioCodec: audio.codec_name,
    durationSeconds: format.duration ?? audio.duration,
    sampleRateHz: audio.sample_rate,
    channels: audio.channels,
  };
}

function probeArguments(path: string): string[] {
  const entries = 'format=format_name,duration:stream=codec_type,codec_name,sample_rate,channels,duration';
  return ['-v', 'error', '-of', 'json', '-show_entries', entries, ...lockedInput(path)];
}

function nameAll(streams: { codec_type: string; codec_name: string }[]): string {
  if (streams.length === 0) return '';
  return `, only ${streams.map((stream) => `${stream.codec_type} (${stream.codec_name})`).join(', ')}`;
}

function notAudio(finding: string, cause?: string): ValidationError {
  return new ValidationError(
    `The file cannot be read as audio. ${finding}. Send mp3, m4a, wav, ogg, opus, webm, flac, mp4 or another common format.`,
    { code: 'AUDIO_NOT_RECOGNISED', param: 'file', ...(cause && { cause: new Error(cause) }) },
  );
}
