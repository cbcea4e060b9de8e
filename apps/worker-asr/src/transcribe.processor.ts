import type { BlobStore } from '@aigolos/blob-store';
import {
  AsrServiceError,
  type TranscriptionCheckpoint,
  TranscriptionCheckpointSchema,
  ValidationError,
} from '@aigolos/contracts';
import { ASR_SAMPLE_RATE_HZ, type AsrEngine, type AsrTranscript, UNKNOWN_LANGUAGE } from '@aigolos/engines/asr';
import type { Processor } from '@aigolos/jobs';
import { chunkAtPauses, type Media } from '@aigolos/media';

export interface TranscribeDeps {
  engine: AsrEngine;
  media: Media;
  blobs: Pick<BlobStore, 'exists' | 'withLocalFile'>;
  maxSeconds: number;
}

/** Whisper's own window; a crash or a cancel costs at most one chunk. */
const CHUNK_SECONDS = 30;

/** Transcribes chunk by chunk, in memory that does not grow with the file; a later attempt goes on after the last chunk. */
export function createTranscribeProcessor({
  engine,
  media,
  blobs,
  maxSeconds,
}: TranscribeDeps): Processor<'transcription'> {
  return async ({ job, signal, reportProgress, checkpoint }) => {
    const { task } = job;
    if (task.model !== engine.model) throw servesAnotherModel(task.model, engine.model);
    if (!(await blobs.exists(task.audio.blobKey))) throw audioLost();
    const begun = performance.now();
    const warnings = new Set<string>();
    const done = startingPoint(job.checkpoint);

    const durationSeconds = await blobs.withLocalFile(task.audio.blobKey, async (path) => {
      const pcm = media.decode(path, { sampleRateHz: ASR_SAMPLE_RATE_HZ }, signal);
      let end = 0;
      for await (const chunk of chunkAtPauses(pcm, { sampleRateHz: ASR_SAMPLE_RATE_HZ, maxSeconds: CHUNK_SECONDS })) {
        end = chunk.startSeconds + chunk.samples.length / ASR_SAMPLE_RATE_HZ;
        if (end > maxSeconds) throw tooLong(maxSeconds);
        if (end <= done.doneSeconds) continue;
        const options = {
          language: task.language ?? (done.language || undefined),
          prompt: task.prompt,
          temperature: task.temperature,
          wordTimestamps: task.wordTimestamps,
        };
        const transcript = await engine.transcribe(chunk.samples, options, signal);
        append(done, transcript, chunk.startSeconds);
        for (const warning of transcript.warnings) warnings.add(warning);
        done.doneSeconds = end;
        checkpoint(structuredClone(done));
        if (task.audio.durationSeconds) reportProgress(end / task.audio.durationSeconds);
      }
      return end;
    });

    return {
      result: {
        // Segments bring their own spaces, where their language has any.
        text: done.segments
          .map(({ text }) => text)
          .join('')
          .trim(),
        language: done.language || task.language || UNKNOWN_LANGUAGE,
        durationSeconds,
        segments: done.segments,
        words: done.words,
      },
      usage: { audioSeconds: durationSeconds, computeMs: performance.now() - begun },
      warnings: [...warnings],
    };
  };
}

function startingPoint(checkpoint: unknown): TranscriptionCheckpoint {
  const kept = TranscriptionCheckpointSchema.safeParse(checkpoint);
  return kept.success ? kept.data : { version: 1, doneSeconds: 0, language: '', segments: [], words: [] };
}

/** Adds a chunk's transcript, its times counted from the beginning of the file. */
function append(
  done: TranscriptionCheckpoint,
  { language, segments, words }: AsrTranscript,
  startSeconds: number,
): void {
  const shift = (seconds: number) => Math.round((seconds + startSeconds) * 1_000) / 1_000;
  for (const segment of segments) {
    const id = done.segments.length;
    const seek = Math.round(startSeconds * 100) + segment.seek;
    done.segments.push({ ...segment, id, seek, start: shift(segment.start), end: shift(segment.end) });
  }
  for (const { word, start, end } of words) done.words.push({ word, start: shift(start), end: shift(end) });
  // Silence has no language: the first chunk in which something was said decides.
  if (done.language === '' && segments.length > 0) done.language = language;
}

function tooLong(maxSeconds: number): ValidationError {
  return new ValidationError(`The audio is longer than the limit of ${maxSeconds} s.`, {
    code: 'AUDIO_TOO_LONG',
    param: 'file',
  });
}

function servesAnotherModel(asked: string, served: string): AsrServiceError {
  return new AsrServiceError(`Model ${asked} is not served any more; this installation has ${served}.`, {
    code: 'ASR_ENGINE_REJECTED',
    param: 'model',
  });
}

function audioLost(): AsrServiceError {
  return new AsrServiceError('The audio of this job was lost before it was transcribed; submit it again.', {
    code: 'AUDIO_NOT_AVAILABLE',
  });
}
