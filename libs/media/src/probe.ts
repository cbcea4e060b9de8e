import { ValidationError } from '@aigolos/contracts';
import { execa } from 'execa';
import { z } from 'zod';
import { type Container, containerOf } from './containers.ts';
import { assertHasBytes, lockedInput, ranToItsEnd, type Tools, toolFailed } from './ffmpeg.ts';

/** What a file's container says of its first audio stream. */
export interface AudioProbe {
  /** ffmpeg's name, such as `mp3`, `ogg` or `mov,mp4,m4a,3gp,3g2,mj2`. */
  container: string;
  audioCodec: string;
  /** Absent where the container does not say, as in a WebM that a browser recorded. */
  durationSeconds: number | undefined;
  /** Does the container say how long it is, whatever is there of it? Else it is guessed, or measured by what is there. */
  statesDuration: boolean;
  sampleRateHz: number;
  channels: number;
}

/** It looks at the beginning and the end; a file for which this is not enough was made to take long. */
const CPU_SECONDS = 5;
/** Of what it says: a thousand streams, which is as many as it takes, need a tenth. */
const MOST_SAID_CHARACTERS = 2_000_000;

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
      nb_read_packets: z.coerce.number().catch(0),
    }),
  ),
});

/** Their headers or indexes say how long their audio is; Matroska's say it of the video with it. */
const STATES_DURATION = /^(?:mov|flac)/;

/** See `Media.probe`. */
export async function probe(tools: Tools, path: string, signal?: AbortSignal): Promise<AudioProbe> {
  signal?.throwIfAborted();
  await assertHasBytes(path);
  const container = await containerOf(path);
  if (container?.demuxer === undefined) throw notAudio(`It is ${container?.name ?? 'not a sound or video file'}`);
  const args = probeArguments(path, container.demuxer);
  const confined = await tools.confine(tools.ffprobePath, args, { cpuSeconds: CPU_SECONDS });
  const result = await execa(confined.program, confined.args, {
    reject: false,
    stdin: 'ignore',
    maxBuffer: MOST_SAID_CHARACTERS,
    timeout: tools.limits.silenceMs,
    killSignal: 'SIGKILL',
    ...(signal && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (!ranToItsEnd(result, confined, result.stderr)) throw toolFailed('ffprobe', result, result.stderr);
  if (result.exitCode !== 0) throw unreadable(container, result.stderr);
  return readProbe(result.stdout);
}

function readProbe(json: string): AudioProbe {
  const { format, streams } = ProbeSchema.parse(JSON.parse(json));
  const audio = streams.find((stream) => stream.codec_type === 'audio');
  if (!audio) throw notAudio(`It has no audio stream${nameAll(streams)}`);
  if (audio.sample_rate === 0 || audio.channels === 0) throw notAudio('It looks like audio, but no sound is in it');
  if (streams.every(({ nb_read_packets: packets }) => packets === 0)) throw withoutSound(format.format_name);
  return {
    container: format.format_name,
    audioCodec: audio.codec_name,
    durationSeconds: audio.duration ?? format.duration,
    statesDuration: STATES_DURATION.test(format.format_name),
    sampleRateHz: audio.sample_rate,
    channels: audio.channels,
  };
}

function probeArguments(path: string, demuxer: string): string[] {
  const entries =
    'format=format_name,duration:stream=codec_type,codec_name,sample_rate,channels,duration,nb_read_packets';
  // One packet tells that there is something behind the header.
  const first = ['-count_packets', '-read_intervals', '%+#1'];
  return ['-v', 'error', '-of', 'json', ...first, '-show_entries', entries, ...lockedInput(path, demuxer)];
}

function nameAll(streams: { codec_type: string; codec_name: string }[]): string {
  if (streams.length === 0) return '';
  return `, only ${streams.map((stream) => `${stream.codec_type} (${stream.codec_name})`).join(', ')}`;
}

function unreadable({ name }: Container, cause: string): ValidationError {
  // An MP4 that was not made for streaming has its index at the end.
  const lost = cause.includes('moov atom not found') ? ': its index, which stands at the end, is missing' : '';
  return notAudio(`It begins as ${name} file, but is cut off or damaged${lost}`, cause);
}

function withoutSound(container: string): ValidationError {
  return new ValidationError(
    `The file is empty: it has the header of a sound file (${container}), but no sound behind it (0 samples).`,
    { code: 'AUDIO_EMPTY', param: 'file' },
  );
}

function notAudio(finding: string, cause?: string): ValidationError {
  return new ValidationError(
    `The file cannot be read as audio. ${finding}. Send mp3, m4a, wav, ogg, opus, webm, flac, mp4 or another common format.`,
    { code: 'AUDIO_NOT_RECOGNISED', param: 'file', ...(cause && { cause: new Error(cause) }) },
  );
}
