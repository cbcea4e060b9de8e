import { type ChatResult, ChatResultSchema, type ChatTask, ChatTaskSchema } from './chat.ts';
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
}
export interface ResultOf {
  transcription: TranscriptionResult;
  speech: SpeechResult;
  chat: ChatResult;
}

/** The queue catalogue: which queue a kind travels on, how often it is tried, and how long one attempt may take. */
export const JOB_CATALOGUE = {
  transcription: {
    queue: 'asr',
    maxAttempts: 3,
    attemptTimeoutMs: 4 * 60 * 60_000,
    task: TranscriptionTaskSchema,
    result: TranscriptionResultSchema,
  },
  chat: {
    queue: 'llm',
    maxAttempts: 3,
    attemptTimeoutMs: 10 * 60_000,
    task: ChatTaskSchema,
    result: ChatResultSchema,
  },
  speech: {
    queue: 'tts',
    maxAttempts: 3,
    attemptTimeoutMs: 60 * 60_000,
    task: SpeechTaskSchema,
    result: SpeechResultSchema,
  },
} as const satisfies Record<JobKind, unknown>;

export type QueueName = (typeof JOB_CATALOGUE)[JobKind]['queue'];
export const QUEUE_NAMES = ['asr', 'llm', 'tts'] as const satisfies readonly QueueName[];

/** What travels through Redis: an id, never content. */
export interface QueuePayload {
  jobId: string;
}
