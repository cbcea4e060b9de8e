import type { AnyJobRecord } from '@aigolos/db';
import { createTextDigest, toEventId } from './event-position.ts';

/** Ids of the events of a streamed answer: `GET /v1/jobs/{id}/events` goes on after each of them. */
export interface StreamIds {
  /** Of an event that tells more of the text, which this attempt said. */
  said(text: string, fence?: number): string;
  /** Of an event that tells none of it. */
  here(): string;
  /** Of the last event: the end of the job is known by it. */
  ended(job: Pick<AnyJobRecord, 'fence' | 'progress'>): string;
}

export function createStreamIds(): StreamIds {
  const digest = createTextDigest();
  let units = 0;
  let fence = 0;
  const text = () => ({ units, digest: digest.value() });
  // Of the states of the job such a stream tells nothing but what shows by itself: that an attempt was begun which said something.
  const here = () => toEventId({ fence, stage: fence > 0 ? 'started' : 'queued', progress: 0, ...text() });
  return {
    here,
    said(more, by = fence) {
      fence = by;
      units += more.length;
      digest.add(more);
      return here();
    },
    ended: (job) =>
      toEventId({ fence: job.fence, stage: 'ended', progress: Math.floor(job.progress * 100), ...text() }),
  };
}
