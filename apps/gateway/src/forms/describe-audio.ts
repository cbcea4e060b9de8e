import type { SpooledFile } from '@aigolos/blob-store';
import { type TranscriptionTask, ValidationError } from '@aigolos/contracts';
import type { Media } from '@aigolos/media';

/**
 * What a job is told of the audio that it is to hear; every route that takes audio takes it on these terms. How long it is
 * here only its header says: the worker counts what it decodes.
 * @throws ValidationError where it is no audio that can be read, or says itself that it is longer than `maxSeconds`.
 */
export async function describeAudio(
  media: Pick<Media, 'probe'>,
  { path, bytes, sha256 }: SpooledFile,
  maxSeconds: number,
): Promise<Omit<TranscriptionTask['audio'], 'blobKey'>> {
  const { durationSeconds, statesDuration } = await media.probe(path);
  if (durationSeconds === undefined) return { bytes, sha256 };
  if (durationSeconds > maxSeconds) throw tooLong(durationSeconds, maxSeconds);
  return { bytes, sha256, durationSeconds, statesDuration };
}

function tooLong(seconds: number, maxSeconds: number): ValidationError {
  return new ValidationError(`The audio is ${Math.ceil(seconds)} s long; the limit is ${maxSeconds} s.`, {
    code: 'AUDIO_TOO_LONG',
    param: 'file',
  });
}
