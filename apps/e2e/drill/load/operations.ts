import type { Random } from '../random.ts';

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
  );

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

/** A short clip, text or question, each of a kind's usual length. */
export function anyOperation(random: Random, base: { id: string; atMs: number }): Operation {
  const kind = random.pick(['transcription', 'speech', 'chat', 'chat'] as const);
  const hasKey = random.chance(0.6);
  const duplicate = hasKey && random.chance(0.15) ? random.pick(['at_once', 'after_end'] as const) : undefined;
  const common = {
    ...base,
    hasKey,
    // A key is free again when its job is deleted.
    ...(duplicate ? { duplicate } : random.chance(0.08) && { isDeleted: true }),
    ...(random.chance(0.08) ? { cancelAfterMs: random.between(0, 2_500) } : {}),
    ...(random.chance(0.2) && { priority: random.pick(['low', 'high'] as const) }),
    ...(random.chance(0.05) && { finishWithinSeconds: random.between(1, 6) }),
  };
  const manner = random.pick(['async', 'async', 'async', 'sync'] as const);
  switch (kind) {
    case 'transcription':
      return {
        ...common,
        kind,
        manner,
        seconds: random.between(1, 12),
        soundSeed: random.between(1, 2 ** 31),
        sendsSlowly: random.chance(0.25),
      };
    case 'speech':
      return {
        ...common,
        kind,
        manner,
        text: `${base.id}: ${plainText(random, random.between(10, 120))}.`,
        format: random.chance(0.9) ? 'wav' : 'mp3',
      };
    case 'chat':
      return {
        ...common,
        kind,
        manner: random.chance(0.3) ? 'stream' : manner,
        text: `${base.id}: ${random.chance(0.6) ? `[[words ${random.between(5, 120)}]]` : plainText(random, 60)}`,
      };
  }
}

/** The turns of a conversation. Every third asks to be told what stood before it. */
export function conversationOperations(
  random: Random,
  { name, atMs, turns }: { name: string; atMs: number; turns: number },
): Operation[] {
  let at = atMs;
  return Array.from({ length: turns }, (_, turn) => {
    at += random.between(50, 1_500);
    const id = `${name}-${turn}`;
    const long = random.chance(0.2) ? ` [[words ${random.between(20, 60)}]]` : ` ${plainText(random, 30)}`;
    const asks = turn === turns - 1 || turn === 3;
    return {
      id,
      atMs: at,
      kind: 'chat',
      text: `${id}:${asks ? ' [[messages]]' : long}`,
      conversation: name,
      turn,
      manner: random.pick(['async', 'async', 'sync', 'stream'] as const),
      hasKey: random.chance(0.7),
      ...(random.chance(0.06) && { cancelAfterMs: random.between(0, 1_500) }),
    } satisfies Operation;
  });
}
