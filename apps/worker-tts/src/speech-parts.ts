import { Readable } from 'node:stream';
import type { BlobStore } from '@aigolos/blob-store';
import { type SpeechCheckpoint, SpeechCheckpointSchema, speechPartPrefix } from '@aigolos/contracts';
import type { JobContext } from '@aigolos/jobs';
import type { PlannedSentence } from './speech-plan.ts';

const BYTES_PER_SAMPLE = Int16Array.BYTES_PER_ELEMENT;

/**
 * What earlier attempts have spoken and a later one goes on from. All or nothing: who has heard a part must not hear the
 * sentences after it of another telling.
 */
export async function keptParts(
  job: Pick<JobContext<'speech'>['job'], 'checkpoint'>,
  plan: PlannedSentence[],
  blobs: Pick<BlobStore, 'exists' | 'size'>,
): Promise<SpeechCheckpoint | undefined> {
  const { data: checkpoint } = SpeechCheckpointSchema.safeParse(job.checkpoint);
  if (!checkpoint) return undefined;
  let sentences = 0;
  for (const part of checkpoint.parts) {
    sentences += part.sentences.length;
    const isOfPlan = plan[sentences - 1]?.textEnd === part.textEnd;
    if (!isOfPlan || !(await blobs.exists(part.blobKey))) return undefined;
    if ((await blobs.size(part.blobKey)) !== part.samples * BYTES_PER_SAMPLE) return undefined;
  }
  return checkpoint.parts.length === 0 ? undefined : checkpoint;
}

/** Stores a group of sentences. The fence in the key keeps it apart from what late attempts write. */
export async function storePart(
  { job, signal }: Pick<JobContext<'speech'>, 'job' | 'signal'>,
  index: number,
  pcm: Buffer[],
  blobs: Pick<BlobStore, 'receive' | 'commit'>,
): Promise<{ blobKey: string; samples: number }> {
  const blobKey = `${speechPartPrefix(job._id)}${job.fence}-${index}.s16le`;
  const file = await blobs.receive(Readable.from(pcm), { maxBytes: Number.POSITIVE_INFINITY, signal });
  await blobs.commit(file, blobKey);
  return { blobKey, samples: file.bytes / BYTES_PER_SAMPLE };
}
