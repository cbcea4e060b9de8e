import type { Readable } from 'node:stream';
import { countCharacters, isFinal, type SpeechEvent, type SpeechResult } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { FastifyBaseLogger } from 'fastify';
import { openEventStream } from './event-stream.ts';
import { waitPatiently, whyCut } from './held-open.ts';
import { expiresAt } from './job-view.ts';
import { whyNoResult } from './result-body.ts';
import { type ResultBlobs, readFile } from './result-files.ts';
import { sseEvent } from './server-sent-events.ts';
import { createStreamIds } from './stream-ids.ts';
import { type StreamSpeechDeps, streamSpeech } from './stream-speech.ts';
import { AUDIO_TOKENS_PER_SECOND } from './token-usage.ts';

type SpeechJob = JobRecord<'speech'>;
type SoundNews = { type: 'sound'; bytes: Buffer } | { type: 'ended'; job: SpeechJob };
type SpeechEventsDeps = StreamSpeechDeps & { blobs: ResultBlobs };

interface SpeechEventsOptions {
  signal: AbortSignal;
  log: Pick<FastifyBaseLogger, 'warn' | 'error'>;
}

/**
 * A speech in its format as OpenAI's server-sent events, while it is made.
 * @throws the job's error where it ended without a result before anything was heard.
 */
export async function streamSpeechEvents(
  deps: SpeechEventsDeps,
  job: SpeechJob,
  options: SpeechEventsOptions,
): Promise<Readable> {
  return openEventStream(job, followSound(deps, job, options), (news) => speechEvents(job, news, options), options);
}

/** The sound while it is made; of a job that ended before any of it was there, the file. Ends early with the signal. */
async function* followSound(
  deps: SpeechEventsDeps,
  job: SpeechJob,
  { signal, log }: SpeechEventsOptions,
): AsyncGenerator<SoundNews> {
  const live = isFinal(job.status) ? undefined : await streamSpeech(deps, job, { signal, log });
  for await (const bytes of live?.stream ?? []) yield { type: 'sound', bytes };
  const ended = (await waitPatiently(deps.jobs, job, signal)) as SpeechJob;
  if (!isFinal(ended.status)) return;
  if (!live && ended.result) {
    const { stream } = await readFile(deps.blobs, ended, ended.result);
    for await (const bytes of stream) yield { type: 'sound', bytes };
  }
  yield { type: 'ended', job: ended };
}

const event = (id: string, data: SpeechEvent) => sseEvent(data, { id });

async function* speechEvents(
  job: SpeechJob,
  news: AsyncGenerator<SoundNews>,
  { signal }: SpeechEventsOptions,
): AsyncGenerator<string> {
  // The events of a job tell no sound: after each of these they tell its states.
  const ids = createStreamIds();
  for await (const item of news) {
    if (item.type === 'sound') {
      yield event(ids.here(), { type: 'speech.audio.delta', audio: item.bytes.toString('base64') });
      continue;
    }
    const { result } = item.job;
    if (!result) throw whyNoResult(item.job);
    return yield event(ids.ended(item.job), {
      type: 'speech.audio.done',
      usage: toTokenUsage(item.job, result),
      expires_at: expiresAt(item.job),
    });
  }
  throw whyCut(signal, job);
}

/** The events count in tokens: what is read are characters, what is heard is counted as in transcripts. */
function toTokenUsage({ task }: SpeechJob, { durationSeconds }: SpeechResult) {
  const [read, heard] = [countCharacters(task.input), Math.ceil(durationSeconds * AUDIO_TOKENS_PER_SECOND)];
  return { input_tokens: read, output_tokens: heard, total_tokens: read + heard };
}
