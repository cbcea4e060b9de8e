import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { JobView } from '@aigolos/contracts';
import { longSpeech } from '@aigolos/testing';
import type { Stack } from '../test/stack.ts';

const run = promisify(execFile);
const HOURS_MS = 6 * 60 * 60_000;

/** Five minutes of speech with pauses, over and over. @returns the path of a FLAC file. */
export async function makeLongFile(folder: string, minutes: number): Promise<string> {
  const { samples } = await longSpeech({ seconds: 300, pauseSeconds: [0.3, 2] });
  const path = join(folder, `${minutes}.flac`);
  await encode(samples, path, ['-stream_loop', '-1'], ['-t', String(minutes * 60)]);
  return path;
}

/** Writes mono f32 PCM at 16 kHz into a file, as its ending says. */
export async function encode(
  samples: Float32Array,
  path: string,
  before: string[] = [],
  after: string[] = [],
): Promise<void> {
  const raw = `${path}.f32`;
  await writeFile(raw, samples);
  const input = [...before, '-f', 'f32le', '-ar', '16000', '-ac', '1', '-i', raw];
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...input, ...after, path]);
}

/** Has a file transcribed, as a client does who does not wait. @returns the result. @throws where the job does not complete. */
export async function submit(stack: Stack, path: string): Promise<{ text: string }> {
  const form = new FormData();
  form.append('file', await openAsBlob(path), 'long.flac');
  form.append('model', 'whisper-1');
  form.append('response_format', 'verbose_json');
  form.append('timestamp_granularities[]', 'word');
  form.append('timestamp_granularities[]', 'segment');
  const answer = await fetch(`${stack.url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.apiKey}`, prefer: 'respond-async' },
    body: form,
  });
  if (answer.status !== 202) throw new Error(`the gateway answered ${answer.status}: ${await answer.text()}`);
  const { id } = (await answer.json()) as JobView;
  const job = await stack.untilJob(id, ['completed', 'failed', 'cancelled', 'expired'], HOURS_MS);
  if (job.status !== 'completed') throw new Error(`the job ended ${job.status}: ${JSON.stringify(job.error)}`);
  return (await (await stack.fetch(`/v1/jobs/${id}/result`)).json()) as { text: string };
}
