import { type ChatResult, ChatResultSchema, type ChatTask, ChatTaskSchema } from './chat.ts';
import { type ErasureResult, ErasureResultSchema, type ErasureTask, ErasureTaskSchema } from './erasure.ts';
import { type ExportResult, ExportResultSchema, type ExportTask, ExportTaskSchema } from './export.ts';
import { type ResponseTask, ResponseTaskSchema } from './response.ts';
import { type SpeechResult, SpeechResultSchema, type SpeechTask, SpeechTaskSchema } from './speech.ts';
import type { JobKind } from './status.ts';
import {
  type TranscriptionResult,
  TranscriptionResultSchema,
  type TranscriptionTask,
  TranscriptionTaskSchema,
} from './transcription.ts';

/** Task and result of each kind; the types of `submit` and of a processor follow from it. */
export interface TaskOf {
  transcription: TranscriptionTask;
  speech: SpeechTask;
  chat: ChatTask;
  response: ResponseTask;
  export: ExportTask;
  erasure: ErasureTask;
}
export interface ResultOf {
  transcription: TranscriptionResult;
  speech: SpeechResult;
  chat: ChatResult;
  response: ChatResult;
  export: ExportResult;
  erasure: ErasureResult;
}

const CRASH_LIMIT = 3;

/**
 * The queue catalogue: which queue a kind travels on, how often it is tried, after how many deaths of its worker it is given
 * up, how long one attempt may take, and what the error is called when it took longer.
 */
export const JOB_CATALOGUE = {
  transcription: {
    queue: 'asr',
    maxAttempts: 3,
    crashLimit: CRASH_LIMIT,
    attemptTimeoutMs: 4 * 60 * 60_000,
    timeoutCode: 'ASR_ENGINE_FAILED',
    task: TranscriptionTaskSchema,
    result: TranscriptionResultSchema,
  },
  chat: {
    queue: 'llm',
    maxAttempts: 3,
    crashLimit: CRASH_LIMIT,
    attemptTimeoutMs: 10 * 60_000,
    timeoutCode: 'LLM_ENGINE_FAILED',
    task: ChatTaskSchema,
    result: ChatResultSchema,
  },
  response: {
    queue: 'llm',
    maxAttempts: 3,
    crashLimit: CRASH_LIMIT,
    attemptTimeoutMs: 10 * 60_000,
    timeoutCode: 'LLM_ENGINE_FAILED',
    task: ResponseTaskSchema,
    result: ChatResultSchema,
  },
  speech: {
    queue: 'tts',
    maxAttempts: 3,
    crashLimit: CRASH_LIMIT,
    // A book takes hours; an engine that hangs is seen by the sentence that it hangs at.
    attemptTimeoutMs: 24 * 60 * 60_000,
    timeoutCode: 'TTS_ENGINE_FAILED',
    task: SpeechTaskSchema,
    result: SpeechResultSchema,
  },
  export: {
    queue: 'export',
    maxAttempts: 5,
    crashLimit: CRASH_LIMIT,
    attemptTimeoutMs: 6 * 60 * 60_000,
    timeoutCode: 'EXPORT_FAILED',
    task: ExportTaskSchema,
    result: ExportResultSchema,
  },
  // A promise to remove data is never given up.
  erasure: {
    queue: 'erasure',
    maxAttempts: Number.MAX_SAFE_INTEGER,
    crashLimit: Number.MAX_SAFE_INTEGER,
    attemptTimeoutMs: 60 * 60_000,
    timeoutCode: 'ERASURE_INCOMPLETE',
    task: ErasureTaskSchema,
    result: ErasureResultSchema,
  },
} as const satisfies Record<JobKind, unknown>;

/** The kinds that travel on a queue. */
export type KindsOf<Queue extends QueueName> = {
  [Kind in JobKind]: (typeof JOB_CATALOGUE)[Kind]['queue'] extends Queue ? Kind : never;
}[JobKind];

/** `webhooks` carries ids of deliveries, the others ids of jobs. */
export type QueueName = (typeof JOB_CATALOGUE)[JobKind]['queue'] | 'webhooks';
export const QUEUE_NAMES = [
  'asr',
  'llm',
  'tts',
  'export',
  'erasure',
  'webhooks',
] as const satisfies readonly QueueName[];
