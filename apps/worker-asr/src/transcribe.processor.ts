import type { BlobStore } from '@aigolos/blob-store';
import {
  AsrServiceError,
  type TranscriptionCheckpoint,
  TranscriptionCheckpointSchema,
  type TranscriptionResult,
  type TranscriptionTask,
  type TranscriptKind,
  transcriptText,
  ValidationError,
} from '@aigolos/contracts';
import { ASR_SAMPLE_RATE_HZ, type AsrEngine, UNKNOWN_LANGUAGE } from '@aigolos/engines/asr';
import type { VoiceActivityDetector } from '@aigolos/engines/vad';
import type { JobContext, Processor } from '@aigolos/jobs';
import { type ChunkOptions, chunkAtPauses, type Media, type PcmChunk } from '@aigolos/media';
import { settleChunk } from './chunk-transcript.ts';

export interface TranscribeDeps {
  engine: AsrEngine;
  media: Media;
  blobs: Pick<BlobStore, 'exists' | 'withLocalFile'>;
  /** Finds the pauses; where it is absent, audio is cut where it is quiet. */
  vad?: VoiceActivityDetector | undefined;
  maxSeconds: number;
}

/** Whisper's own window; a crash or a cancel costs at most one chunk. */
const CHUNK_SECONDS = 30;

/** Transcribes, or translates into English, chunk by chunk, in memory that does not grow with the file; a later attempt goes on after the last chunk. */
export function createTranscribeProcessor(deps: TranscribeDeps): Processor<'transcription'> & Processor<'translation'> {
  const { engine, blobs } = deps;
  return async (context: JobContext<TranscriptKind>) => {
    const { task, checkpoint } = context.job;
    if (task.model !== engine.model) throw servesAnotherModel(task.model, engine.model);
    if (!(await blobs.exists(task.audio.blobKey))) throw audioLost();
    const begun = performance.now();
    const { done, durationSeconds } = await blobs.withLocalFile(task.audio.blobKey, (path) =>
      transcribeFile(path, startingPoint(checkpoint), context, deps),
    );
    return {
      result: resultOf(done, task, durationSeconds),
      usage: { audioSeconds: durationSeconds, computeMs: performance.now() - begun },
      warnings: [...done.warnings, ...warningsAbout(task.audio, durationSeconds)],
    };
  };
}

async function transcribeFile(
  path: string,
  from: TranscriptionCheckpoint,
  context: JobContext<TranscriptKind>,
  { engine, media, vad, maxSeconds }: TranscribeDeps,
): Promise<{ done: TranscriptionCheckpoint; durationSeconds: number }> {
  const { signal, job } = context;
  const options = { sampleRateHz: ASR_SAMPLE_RATE_HZ, maxSeconds: CHUNK_SECONDS, startSeconds: from.doneSeconds };
  const pcm = createMeter(media.decode(path, { sampleRateHz: ASR_SAMPLE_RATE_HZ }, signal), maxSeconds);
  const expectedSeconds = job.task.audio.durationSeconds ?? (await media.measureSeconds(path, signal));
  let done = from;
  let told = '';
  const tell = () => {
    // With every chunk something is added to its end.
    const text = transcriptText(done.chunks.flatMap(({ segments }) => segments));
    if (text.length > told.length) context.emitDelta(text.slice(told.length));
    told = text;
  };
  tell();
  for await (const chunk of chunksOf(pcm.samples, options, vad)) {
    done = await transcribeChunk(chunk, done, context, engine);
    context.checkpoint(done);
    tell();
    if (expectedSeconds) context.reportProgress(done.doneSeconds / expectedSeconds);
  }
  return { done, durationSeconds: pcm.seconds() };
}

/** What is done once the chunk is. Nothing that was handed out before is changed. */
async function transcribeChunk(
  chunk: PcmChunk,
  done: TranscriptionCheckpoint,
  { job: { kind, task }, signal }: JobContext<TranscriptKind>,
  engine: AsrEngine,
): Promise<TranscriptionCheckpoint> {
  const options = {
    task: kind === 'translation' ? ('translate' as const) : ('transcribe' as const),
    language: task.language ?? (done.language || undefined),
    prompt: task.prompt,
    temperature: task.temperature,
    wordTimestamps: task.wordTimestamps,
  };
  const transcript = await engine.transcribe(chunk.samples, options, signal);
  const { endSeconds, ...said } = settleChunk(chunk, transcript);
  return {
    version: 2,
    doneSeconds: endSeconds,
    // Silence has no language: the first chunk in which something was said decides.
    language: done.language || (said.segments.length > 0 ? transcript.language : ''),
    warnings: [...new Set([...done.warnings, ...transcript.warnings])],
    chunks: said.segments.length > 0 ? [...done.chunks, said] : done.chunks,
  };
}

async function* chunksOf(
  pcm: AsyncIterable<Float32Array>,
  options: ChunkOptions,
  vad: VoiceActivityDetector | undefined,
): AsyncGenerator<PcmChunk> {
  const detector = vad?.listen();
  try {
    yield* chunkAtPauses(pcm, { ...options, detector });
  } finally {
    detector?.end();
  }
}

/** Counts what goes through. @throws ValidationError `AUDIO_TOO_LONG` as soon as it is too much. */
function createMeter(pcm: AsyncIterable<Float32Array>, maxSeconds: number) {
  let count = 0;
  const seconds = () => count / ASR_SAMPLE_RATE_HZ;
  async function* pass(): AsyncGenerator<Float32Array> {
    for await (const piece of pcm) {
      count += piece.length;
      if (seconds() > maxSeconds) throw tooLong(maxSeconds);
      yield piece;
    }
  }
  return { samples: pass(), seconds };
}

function startingPoint(checkpoint: unknown): TranscriptionCheckpoint {
  const kept = TranscriptionCheckpointSchema.safeParse(checkpoint);
  return kept.success ? kept.data : { version: 2, doneSeconds: 0, language: '', warnings: [], chunks: [] };
}

function resultOf(
  { chunks, language }: TranscriptionCheckpoint,
  task: TranscriptionTask,
  durationSeconds: number,
): TranscriptionResult {
  const segments = chunks.flatMap((chunk) => chunk.segments).map((segment, id) => ({ ...segment, id }));
  return {
    text: transcriptText(segments),
    language: language || task.language || UNKNOWN_LANGUAGE,
    durationSeconds,
    segments,
    words: chunks.flatMap((chunk) => chunk.words),
  };
}

/** Less than this of what a file says is an inaccuracy of its header. */
const MISSING_SECONDS = 1;

function warningsAbout({ durationSeconds, statesDuration }: TranscriptionTask['audio'], readSeconds: number): string[] {
  if (!statesDuration || durationSeconds === undefined || durationSeconds - readSeconds < MISSING_SECONDS) return [];
  const [stated, read] = [durationSeconds, readSeconds].map((seconds) => seconds.toFixed(1));
  return [
    `The file says that it is ${stated} s long, but ${read} s of it could be read: it is cut off or damaged. What could be read was transcribed.`,
  ];
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
