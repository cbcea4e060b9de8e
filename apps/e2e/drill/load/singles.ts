import type { Random } from '../random.ts';
import { type Operation, plainText, type VoiceTurn } from './operations.ts';

/** A short question, said aloud. */
export function voiceTurn(random: Random): VoiceTurn {
  return {
    kind: 'voice-turn',
    seconds: random.between(1, 4),
    soundSeed: random.between(1, 2 ** 31),
    format: random.chance(0.9) ? 'wav' : 'mp3',
  };
}

const KINDS = ['transcription', 'transcription', 'speech', 'speech', 'chat', 'chat', 'chat', 'voice-turn'] as const;

/** A short clip, text or question, each of a kind's usual length. */
export function anyOperation(random: Random, base: { id: string; atMs: number }): Operation {
  const kind = random.pick(KINDS);
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
    case 'voice-turn':
      return { ...common, ...voiceTurn(random), manner };
  }
}
