import {
  TranscriptionCheckpointSchema,
  type TranscriptionResult,
  type TranscriptKind,
  type TranscriptSegment,
  transcriptText,
} from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import { checkpointPatiently, watchPatiently } from './follow-text.ts';
import { createTextFollower } from './text-follower.ts';

export type TranscriptJob = JobRecord<TranscriptKind>;

export type TranscriptNews =
  | { type: 'said'; text: string; segments: TranscriptSegment[] }
  /** The last one: the job has ended, and all of its text was told. */
  | { type: 'ended'; job: TranscriptJob }
  /** The last one: what was told already is not how the text begins that the job has now. */
  | { type: 'diverged' };

/**
 * What a transcript says as far as it stands, told once each: the chunks that its record holds, from which a later attempt
 * goes on. Ends early with the signal.
 */
export async function* followTranscript(
  jobs: Jobs,
  job: TranscriptJob,
  signal: AbortSignal,
): AsyncGenerator<TranscriptNews> {
  const follower = createTextFollower();
  let told = 0;
  for await (const news of watchPatiently(jobs, job, signal)) {
    if (news.type === 'delta' || news.type === 'again') continue;
    const ended = news.type === 'ended' ? (news.job as TranscriptJob) : undefined;
    if (ended && !ended.result) return yield { type: 'ended', job: ended };
    const { text, segments } = ended?.result ?? (await soFar(jobs, job));
    const added = ended ? follower.finish(text) : follower.whole(text);
    if (added === undefined) return yield { type: 'diverged' };
    const more = segments.slice(told);
    told += more.length;
    if (added !== '' || more.length > 0) yield { type: 'said', text: added, segments: more };
    if (ended) return yield { type: 'ended', job: ended };
  }
}

async function soFar(jobs: Jobs, job: TranscriptJob): Promise<Pick<TranscriptionResult, 'text' | 'segments'>> {
  const { data: checkpoint } = TranscriptionCheckpointSchema.safeParse(await checkpointPatiently(jobs, job));
  const segments = checkpoint?.chunks.flatMap((chunk) => chunk.segments) ?? [];
  return { text: transcriptText(segments), segments: segments.map((segment, id) => ({ ...segment, id })) };
}
