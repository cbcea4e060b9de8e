import type { BlobStore } from '@aigolos/blob-store';
import { AIGolosError, SpeechCheckpointSchema, type SpeechFormat, type SpeechResult } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import { type Media, type PcmAudio, readS16le } from '@aigolos/media';
import { checkpointPatiently, watchPatiently } from './follow-text.ts';
import { whyNoResult } from './result-body.ts';

export interface FollowSpeechDeps {
  jobs: Jobs;
  blobs: Pick<BlobStore, 'read' | 'exists' | 'withLocalFile'>;
  media: Pick<Media, 'decode'>;
}

/** How far the sound has been told. */
interface Told {
  parts: number;
  samples: number;
  sampleRateHz: number;
  /** The attempt that began what was told. */
  begunBy: number | undefined;
}

/**
 * The sound of a speech job while it is made, whatever attempts and outages it takes: its parts as its record comes to name
 * them, and, as these go when it ends, the rest from its result. Nothing comes twice, and nothing is left out. Ends early
 * with the signal, and tells nothing of a job that ends before any part was told.
 * @throws the job's error where it ends without a result.
 */
export async function* followSpeech(
  deps: FollowSpeechDeps,
  job: JobRecord<'speech'>,
  signal: AbortSignal,
): AsyncGenerator<PcmAudio> {
  const told: Told = { parts: 0, samples: 0, sampleRateHz: 0, begunBy: undefined };
  for await (const news of watchPatiently(deps.jobs, job, signal)) {
    if (news.type === 'delta') continue;
    if (news.type !== 'ended') {
      yield* newParts(deps, job, told);
      continue;
    }
    const { result } = news.job as JobRecord<'speech'>;
    if (!result) throw whyNoResult(news.job);
    if (told.parts === 0) return;
    if (told.begunBy !== result.begunBy) throw begunAnew(job);
    return yield* rest(deps, result, { told, encodedAs: job.task.format, signal });
  }
}

async function* newParts(
  { jobs, blobs }: FollowSpeechDeps,
  job: JobRecord<'speech'>,
  told: Told,
): AsyncGenerator<PcmAudio> {
  const { data: checkpoint } = SpeechCheckpointSchema.safeParse(await checkpointPatiently(jobs, job));
  if (!checkpoint) return;
  const { parts, sampleRateHz, begunBy } = checkpoint;
  if (told.parts > 0 && told.begunBy !== begunBy) throw begunAnew(job);
  told.sampleRateHz = sampleRateHz;
  for (const part of parts.slice(told.parts)) {
    // It is gone where the job has ended meanwhile; then the result has what it said.
    if (!(await blobs.exists(part.blobKey))) return;
    const stream = await blobs.read(part.blobKey).catch(() => undefined);
    if (!stream) return;
    told.parts += 1;
    told.begunBy = begunBy;
    for await (const samples of readS16le(stream)) {
      told.samples += samples.length;
      yield { samples, sampleRateHz };
    }
  }
}

/** What the result holds after what was told, to the sample. */
async function* rest(
  { blobs, media }: FollowSpeechDeps,
  { blobKey, durationSeconds }: SpeechResult,
  { told, encodedAs, signal }: { told: Told; encodedAs: SpeechFormat; signal: AbortSignal },
): AsyncGenerator<PcmAudio> {
  const { sampleRateHz } = told;
  const total = Math.round(durationSeconds * sampleRateHz);
  if (told.samples >= total) return;
  const { promise: path, resolve, reject } = Promise.withResolvers<string>();
  const { promise: read, resolve: letGo } = Promise.withResolvers<void>();
  const lent = blobs.withLocalFile(blobKey, (local) => {
    resolve(local);
    return read;
  });
  lent.catch(reject);
  try {
    let at = 0;
    for await (const decoded of media.decode(await path, { sampleRateHz, encodedAs }, signal)) {
      const samples = decoded.subarray(Math.max(0, told.samples - at), Math.max(0, total - at));
      at += decoded.length;
      if (samples.length === 0) continue;
      told.samples += samples.length;
      yield { samples, sampleRateHz };
    }
    if (told.samples < total) yield { samples: new Float32Array(total - told.samples), sampleRateHz };
  } finally {
    letGo();
    await lent.catch(() => {});
  }
}

function begunAnew({ _id: id }: JobRecord): AIGolosError {
  return new AIGolosError(
    `What was spoken of job ${id} was lost, and it was begun anew. GET /v1/jobs/${id}/result has the whole of it.`,
    { code: 'TTS_ENGINE_FAILED' },
  );
}
