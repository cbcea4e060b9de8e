import { BYTES_PER_AUDIO_SECOND } from './amounts.ts';
import type { TaskOf } from './catalogue.ts';
import type { JobKind } from './status.ts';

/** No job takes more than this of a share at once, whatever a client says of its length. */
export const MAX_COST = 1_000;

const SECONDS_PER_UNIT = 30;
const CHARACTERS_PER_UNIT = 500;
const TOKENS_PER_UNIT = 256;

const heard = ({ audio: { durationSeconds, bytes } }: Pick<TaskOf['transcription'], 'audio'>) =>
  (durationSeconds ?? bytes / BYTES_PER_AUDIO_SECOND) / SECONDS_PER_UNIT;

const answerUnits = ({ maxTokens = TOKENS_PER_UNIT }: TaskOf['chat']) => maxTokens / TOKENS_PER_UNIT;

const UNITS: { [Kind in JobKind]: (task: TaskOf[Kind]) => number } = {
  transcription: heard,
  translation: heard,
  speech: ({ input }) => input.length / CHARACTERS_PER_UNIT,
  chat: answerUnits,
  response: answerUnits,
  'voice-turn': heard,
  batch: () => 1,
  export: () => 1,
  erasure: () => 1,
};

/**
 * How much work a job asks for, next to others of its kind, as far as its submission tells: one for each started 30 s of audio,
 * 500 characters to be spoken or 256 tokens to be written. From 1 to {@link MAX_COST}.
 */
export function costOf<Kind extends JobKind>({ kind, task }: { kind: Kind; task: TaskOf[Kind] }): number {
  const units = Math.ceil(UNITS[kind](task));
  return Number.isFinite(units) ? Math.min(MAX_COST, Math.max(1, units)) : 1;
}
