import { Readable } from 'node:stream';
import type { JobRecord } from '@aigolos/db';
import { contentTypeOf, type Media, type PcmAudio } from '@aigolos/media';
import type { FastifyBaseLogger } from 'fastify';
import { type FollowSpeechDeps, followSpeech } from './follow-speech.ts';
import { whyCut } from './held-open.ts';

export type StreamSpeechDeps = Omit<FollowSpeechDeps, 'media'> & { media: Pick<Media, 'decode' | 'encodeStream'> };

export interface StreamSpeechOptions {
  signal: AbortSignal;
  log: Pick<FastifyBaseLogger, 'warn'>;
  /** How long the first sound is waited for. */
  waitSeconds?: number | undefined;
}

export interface SpeechStream {
  contentType: string;
  stream: Readable;
}

/**
 * A speech job's audio in its format, while it is made. A failure on the way destroys the stream: nobody takes what they have
 * for the whole of it.
 * @returns nothing where the job has ended before a part of it was there, or the signal or `waitSeconds` came before.
 * @throws the job's error where it ended without a result before a part of it was there.
 */
export async function streamSpeech(
  deps: StreamSpeechDeps,
  job: JobRecord<'speech'>,
  { signal: outer, log, waitSeconds }: StreamSpeechOptions,
): Promise<SpeechStream | undefined> {
  const tooLate = new AbortController();
  const signal = AbortSignal.any([outer, tooLate.signal]);
  const timer = waitSeconds === undefined ? undefined : setTimeout(() => tooLate.abort(), waitSeconds * 1_000);
  const pcm = followSpeech(deps, job, signal);
  const first = await pcm.next().finally(() => clearTimeout(timer));
  if (first.done) return undefined;
  const { format } = job.task;
  const whole = async function* (): AsyncGenerator<PcmAudio> {
    try {
      yield first.value;
      yield* pcm;
      if (signal.aborted) throw whyCut(signal, job);
    } finally {
      await pcm.return(undefined);
    }
  };
  const stream = Readable.from(deps.media.encodeStream(whole(), format, signal), { objectMode: false });
  stream.on('error', (error) => {
    if (!signal.aborted) log.warn({ err: error, jobId: job._id }, 'a stream of speech was cut off');
  });
  return { contentType: contentTypeOf(format), stream };
}
