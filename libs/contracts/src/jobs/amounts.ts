import type { Amounts, Measure } from '../account-limits.ts';
import { countCharacters } from '../http/common.ts';
import { type JobAtStep, type QueueName, queueOf, type TaskOf } from './catalogue.ts';
import type { JobKind, JobStatus } from './status.ts';
import type { JobUsage } from './usage.ts';

/** Kinds whose work is measured. A batch is measured by its lines; work on somebody's own data is not. */
export const METERED_KINDS = [
  'transcription',
  'translation',
  'speech',
  'chat',
  'response',
  'voice-turn',
] as const satisfies readonly JobKind[];
export type MeteredKind = (typeof METERED_KINDS)[number];

export function isMetered(kind: JobKind): kind is MeteredKind {
  return METERED_KINDS.some((metered) => metered === kind);
}

/** Where the container does not say how long the audio is: as of speech at 128 kbit/s. */
export const BYTES_PER_AUDIO_SECOND = 16_000;
const CHARACTERS_PER_TOKEN = 4;
/** What an answer is taken to have whose request names no most. */
const ANSWER_TOKENS = 256;
export const NO_AMOUNTS: Amounts = { requests: 0, audio_seconds: 0, characters: 0, tokens: 0 };

const heard = ({ audio: { durationSeconds, bytes } }: Pick<TaskOf['transcription'], 'audio'>) => ({
  audio_seconds: durationSeconds ?? bytes / BYTES_PER_AUDIO_SECOND,
});

const answered = ({ messages, maxTokens = ANSWER_TOKENS }: Pick<TaskOf['chat'], 'messages' | 'maxTokens'>) => ({
  tokens: messages.reduce((sum, { content }) => sum + content.length, 0) / CHARACTERS_PER_TOKEN + maxTokens,
});

const ESTIMATES: { [Kind in MeteredKind]: (task: TaskOf[Kind]) => Partial<Amounts> } = {
  transcription: heard,
  translation: heard,
  speech: ({ input }) => ({ characters: countCharacters(input) }),
  chat: answered,
  response: answered,
  'voice-turn': ({ audio, maxTokens = ANSWER_TOKENS }) => ({
    ...heard({ audio }),
    tokens: maxTokens,
    characters: maxTokens * CHARACTERS_PER_TOKEN,
  }),
};

/** What a job is likely to take, as far as its submission tells; nothing of a kind that is not measured. */
export function estimateOf<Kind extends JobKind>({ kind, task }: { kind: Kind; task: TaskOf[Kind] }): Amounts {
  if (!isMetered(kind)) return NO_AMOUNTS;
  const estimate = ESTIMATES[kind] as (given: TaskOf[Kind]) => Partial<Amounts>;
  return whole({ ...NO_AMOUNTS, requests: 1, ...estimate(task) });
}

/** What waits in these queues is counted by this measure. */
export const BACKLOG_MEASURES = { asr: 'audio_seconds', llm: 'tokens', tts: 'characters' } as const satisfies Partial<
  Record<QueueName, Measure>
>;
export type MeasuredQueue = keyof typeof BACKLOG_MEASURES;
export const MEASURED_QUEUES = Object.keys(BACKLOG_MEASURES) as MeasuredQueue[];

export function isMeasuredQueue(queue: QueueName): queue is MeasuredQueue {
  return MEASURED_QUEUES.some((measured) => measured === queue);
}

/** What a job adds to what waits in the queue of its step; 0 in a queue whose work is not measured. */
export function backlogOf<Kind extends JobKind>(job: JobAtStep & { kind: Kind; task: TaskOf[Kind] }): number {
  const queue = queueOf(job);
  return isMeasuredQueue(queue) ? estimateOf(job)[BACKLOG_MEASURES[queue]] : 0;
}

/** Did a job make something? Those that did count as requests. */
export function hasMade(status: JobStatus): boolean {
  return status === 'completed' || status === 'incomplete';
}

/** What a job has taken that ended. */
export function amountsOf({ status, usage = {} }: { status: JobStatus; usage?: JobUsage | undefined }): Amounts {
  const { audioSeconds = 0, inputCharacters = 0, promptTokens = 0, completionTokens = 0 } = usage;
  return whole({
    requests: hasMade(status) ? 1 : 0,
    audio_seconds: audioSeconds,
    characters: inputCharacters,
    tokens: promptTokens + completionTokens,
  });
}

function whole(amounts: Amounts): Amounts {
  const rounded = Object.entries(amounts).map(([measure, amount]) => [measure, Math.ceil(amount)]);
  return Object.fromEntries(rounded) as Amounts;
}
