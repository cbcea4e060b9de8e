import type { TranscriptionCheckpoint, TranscriptionTask } from '@aigolos/contracts';
import type { JobContext } from '@aigolos/jobs';
import { testLog } from '@aigolos/testing';

/** What a processor is given for a job, and the checkpoints that it hands out. */
export function jobContext(
  task: Pick<TranscriptionTask, 'model' | 'temperature'>,
  checkpoint?: unknown,
): { context: JobContext<'transcription'>; kept: TranscriptionCheckpoint[] } {
  const kept: TranscriptionCheckpoint[] = [];
  const audio = { blobKey: 'trn_1/input', bytes: 1, sha256: '' };
  const context = {
    job: { _id: 'trn_1', task: { responseFormat: 'json', wordTimestamps: true, audio, ...task }, checkpoint },
    signal: new AbortController().signal,
    log: testLog,
    reportProgress: () => {},
    checkpoint: (value: TranscriptionCheckpoint) => kept.push(value),
    emitDelta: () => {},
  };
  return { context: context as unknown as JobContext<'transcription'>, kept };
}
