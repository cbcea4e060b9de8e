import type { Random } from '../random.ts';
import type { BatchLine } from './batches.ts';

/** How its submitter waits for a job's end. */
export type Manner = 'async' | 'sync' | 'stream';

interface OperationBase {
  /** Stands in the content of the job, so that a job that the client knows nothing of is known by it. */
  id: string;
  /** Since the load began. */
  atMs: number;
  manner: Manner;
  /** So long after its submission the job is cancelled. */
  cancelAfterMs?: number;
  /** Once it has ended it is deleted. */
  isDeleted?: boolean;
  /** Retries carry the same Idempotency-Key. */
  hasKey: boolean;
  /** With the same key it is sent again, at once or after its end. */
  duplicate?: 'at_once' | 'after_end';
  priority?: 'low' | 'high';
  /** It expires unless it has ended by then, so many seconds from its submission. */
  finishWithinSeconds?: number;
}

export type Operation = OperationBase &
  (
    | { kind: 'transcription'; seconds: number; soundSeed: number; sendsSlowly: boolean }
    | { kind: 'speech'; text: string; format: 'wav' | 'mp3' }
    | { kind: 'chat'; text: string }
    /** Turns of one conversation are submitted one after another, without waiting for answers. */
    | { kind: 'chat'; text: string; conversation: string; turn: number }
    | VoiceTurn
    | (VoiceTurn & { conversation: string; turn: number })
    /** Each line is a job of its own, which the client never asks for. */
    | { kind: 'batch'; endpoint: '/v1/chat/completions' | '/v1/audio/speech'; lines: BatchLine[] }
  );

export interface VoiceTurn {
  kind: 'voice-turn';
  seconds: number;
  soundSeed: number;
  format: 'wav' | 'mp3';
}

export type OperationKind = Operation['kind'];

const LETTERS = 'a quick brown fox jumps over the lazy dog while seven wizards mix five boxes of liquor jugs'.split(
  ' ',
);

/** What the test engines take for a second of audio, a token, a character: jobs last from a tenth of a second to some seconds. */
export const PACE_MS = { 'worker-asr': 150, 'worker-llm': 15, 'worker-tts': 10 };

const ONE_CHUNK_SECONDS = 30;

/** Plain words, and no directives of the test engines. */
export function plainText(random: Random, characters: number): string {
  let text = '';
  while (text.length < characters) text += `${text === '' ? '' : ' '}${random.pick(LETTERS)}`;
  return text;
}

/** What one worker is busy with for so long, by the pace of the test engines. */
export function jobOfSeconds(
  worker: 'worker-asr' | 'worker-llm' | 'worker-tts',
  seconds: number,
  base: OperationBase,
  random: Random,
): Operation {
  switch (worker) {
    case 'worker-asr':
      return {
        ...base,
        kind: 'transcription',
        // What is longer is cut, at places that only the worker knows: then nobody could say what it must hear.
        seconds: Math.min(ONE_CHUNK_SECONDS, Math.round((seconds * 1_000) / PACE_MS[worker])),
        soundSeed: random.between(1, 2 ** 31),
        sendsSlowly: false,
      };
    case 'worker-llm':
      return {
        ...base,
        kind: 'chat',
        text: `${base.id}: [[words ${Math.round((seconds * 1_000) / PACE_MS[worker])}]]`,
      };
    case 'worker-tts':
      return {
        ...base,
        kind: 'speech',
        text: `${base.id}: ${plainText(random, Math.round((seconds * 1_000) / PACE_MS[worker]))}.`,
        format: 'wav',
      };
  }
}
