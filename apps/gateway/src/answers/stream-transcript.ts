import type { Readable } from 'node:stream';
import { AIGolosError, type TranscriptEvent, type TranscriptionResult } from '@aigolos/contracts';
import type { Jobs } from '@aigolos/jobs';
import { type EventStreamOptions, openEventStream } from './event-stream.ts';
import { followTranscript, type TranscriptJob, type TranscriptNews } from './follow-transcript.ts';
import { whyCut } from './held-open.ts';
import { expiresAt } from './job-view.ts';
import { whyNoResult } from './result-body.ts';
import { sseEvent } from './server-sent-events.ts';
import { createStreamIds } from './stream-ids.ts';
import { AUDIO_TOKENS_PER_SECOND } from './token-usage.ts';

/** Nobody tells them apart. */
const SPEAKER = 'unknown';

/**
 * A transcript as OpenAI's server-sent events, chunk by chunk as its record comes to hold them.
 * @throws the job's error where it ended without a result before anything was said.
 */
export async function streamTranscript(
  jobs: Jobs,
  job: TranscriptJob,
  { signal, ...options }: EventStreamOptions & { signal: AbortSignal },
): Promise<Readable> {
  return openEventStream(
    job,
    followTranscript(jobs, job, signal),
    (news) => transcriptEvents(job, news, signal),
    options,
  );
}

const event = (id: string, data: TranscriptEvent) => sseEvent(data, { id });

async function* transcriptEvents(
  job: TranscriptJob,
  news: AsyncGenerator<TranscriptNews>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { responseFormat, segmentTimestamps = true } = job.task;
  const tellsSegments = responseFormat === 'verbose_json' && segmentTimestamps;
  const ids = createStreamIds();
  for await (const item of news) {
    if (item.type === 'diverged') throw startedAnew(job);
    if (item.type === 'said') {
      if (item.text !== '') yield event(ids.said(item.text), { type: 'transcript.text.delta', delta: item.text });
      for (const { id, start, end, text } of tellsSegments ? item.segments : []) {
        yield event(ids.here(), {
          type: 'transcript.text.segment',
          id: `seg_${id}`,
          start,
          end,
          text,
          speaker: SPEAKER,
        });
      }
      continue;
    }
    const { result } = item.job;
    if (!result) throw whyNoResult(item.job);
    return yield event(ids.ended(item.job), {
      type: 'transcript.text.done',
      text: result.text,
      usage: toTokenUsage(result),
      expires_at: expiresAt(item.job),
    });
  }
  throw whyCut(signal, job);
}

/** The events have no place for seconds, which the answer in one piece has. */
function toTokenUsage({ durationSeconds, segments }: TranscriptionResult) {
  const audio = Math.ceil(durationSeconds * AUDIO_TOKENS_PER_SECOND);
  const written = segments.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return {
    type: 'tokens' as const,
    input_tokens: audio,
    input_token_details: { text_tokens: 0, audio_tokens: audio },
    output_tokens: written,
    total_tokens: audio + written,
  };
}

function startedAnew({ _id: id }: TranscriptJob): AIGolosError {
  return new AIGolosError(
    `The transcript was begun anew after a failure and differs from what you have read. GET /v1/jobs/${id}/result has the whole of it.`,
    { code: 'ASR_ENGINE_FAILED' },
  );
}
