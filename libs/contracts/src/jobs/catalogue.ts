import { type BatchResult, BatchResultSchema, type BatchTask, BatchTaskSchema } from './batch.ts';
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
import {
  type JobStep,
  type VoiceTurnResult,
  VoiceTurnResultSchema,
  type VoiceTurnTask,
  VoiceTurnTaskSchema,
} from './voice-turn.ts';

/** Task and result of each kind; the types of `submit` and of a processor follow from it. */
export interface TaskOf {
  transcription: TranscriptionTask;
  translation: TranscriptionTask;
  speech: SpeechTask;
  chat: ChatTask;
  response: ResponseTask;
  'voice-turn': VoiceTurnTask;
  batch: BatchTask;
  export: ExportTask;
  erasure: ErasureTask;
}
export interface ResultOf {
  transcription: TranscriptionResult;
  translation: TranscriptionResult;
  speech: SpeechResult;
  chat: ChatResult;
  response: ChatResult;
  'voice-turn': VoiceTurnResult;
  batch: BatchResult;
  export: ExportResult;
  erasure: ErasureResult;
}

const CRASH_LIMIT = 3;

/** Of a transcript in the language that is spoken, and in English. */
const HEARD = {
  queue: 'asr',
  maxAttempts: 3,
  crashLimit: CRASH_LIMIT,
  attemptTimeoutMs: 4 * 60 * 60_000,
  timeoutCode: 'ASR_ENGINE_FAILED',
  task: TranscriptionTaskSchema,
  result: TranscriptionResultSchema,
} as const;

/**
 * The queue catalogue: which queue a kind travels on, how often it is tried, after how many deaths of its worker it is given
 * up, how long one attempt may take, and what the error is called when it took longer.
 */
export const JOB_CATALOGUE = {
  transcription: HEARD,
  translation: HEARD,
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
  // Where it begins; each of its steps has the terms of the kind whose work it is.
  'voice-turn': {
    queue: 'asr',
    maxAttempts: 3,
    crashLimit: CRASH_LIMIT,
    attemptTimeoutMs: 4 * 60 * 60_000,
    timeoutCode: 'ASR_ENGINE_FAILED',
    task: VoiceTurnTaskSchema,
    result: VoiceTurnResultSchema,
  },
  // Its lines have terms of their own; it waits for them, through many ends of the processes that do.
  batch: {
    queue: 'batch',
    maxAttempts: 20,
    crashLimit: 20,
    attemptTimeoutMs: 26 * 60 * 60_000,
    timeoutCode: 'BATCH_FAILED',
    task: BatchTaskSchema,
    result: BatchResultSchema,
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

/**
 * Kinds that have begun work outside of their own record. A cancel does not end them where they wait: their processor stops that
 * work, keeps what came of it, and ends them.
 */
export const WINDING_UP_KINDS: readonly JobKind[] = ['batch'];

/** Kinds that are done in several steps, in this order, and the kind whose work each step is. */
export const JOB_STEPS = {
  'voice-turn': { transcribe: 'transcription', answer: 'chat', speak: 'speech' },
} as const satisfies Partial<Record<JobKind, Record<JobStep, JobKind>>>;
export type SteppedKind = keyof typeof JOB_STEPS;

/** A job, as far as it decides on which queue it travels now. A job of several steps without one is at its first. */
export interface JobAtStep {
  kind: JobKind;
  step?: JobStep | undefined;
}

/** The catalogue's entry by whose terms a job is done now. Undefined of a kind that only a later version knows. */
export function termsOf({ kind, step }: JobAtStep): (typeof JOB_CATALOGUE)[JobKind] {
  const steps: Partial<Record<JobStep, JobKind>> = kind in JOB_STEPS ? JOB_STEPS[kind as SteppedKind] : {};
  return JOB_CATALOGUE[(step && steps[step]) ?? kind];
}

/** The queue that a job travels on now. */
export function queueOf(job: JobAtStep): QueueName {
  return termsOf(job).queue;
}

/** The steps of a kind in their order; one that is none of a kind that is done at once. */
export function stepsOf(kind: JobKind): (JobStep | undefined)[] {
  return kind in JOB_STEPS ? (Object.keys(JOB_STEPS[kind as SteppedKind]) as JobStep[]) : [undefined];
}

type QueueOf<Kind extends JobKind> = (typeof JOB_CATALOGUE)[Kind]['queue'];
/** The kinds whose work a kind is: its own, or those of its steps. */
type WorkOf<Kind extends JobKind> = Kind extends SteppedKind
  ? (typeof JOB_STEPS)[Kind][keyof (typeof JOB_STEPS)[Kind]]
  : Kind;

/** The kinds that travel on a queue. */
export type KindsOf<Queue extends QueueName> = {
  [Kind in JobKind]: Extract<QueueOf<WorkOf<Kind> & JobKind>, Queue> extends never ? never : Kind;
}[JobKind];

/** `webhooks` carries ids of deliveries, the others ids of jobs. */
export type QueueName = (typeof JOB_CATALOGUE)[JobKind]['queue'] | 'webhooks';
export const QUEUE_NAMES = [
  'asr',
  'llm',
  'tts',
  'batch',
  'export',
  'erasure',
  'webhooks',
] as const satisfies readonly QueueName[];
