import type { Random } from '../random.ts';
import { type Operation, plainText } from './operations.ts';
import { voiceTurn } from './singles.ts';

/** The turns of a conversation, some of them said aloud. Two others ask to be told what stood before them. */
export function conversationOperations(
  random: Random,
  { name, atMs, turns }: { name: string; atMs: number; turns: number },
): Operation[] {
  let at = atMs;
  return Array.from({ length: turns }, (_, turn): Operation => {
    at += random.between(50, 1_500);
    const id = `${name}-${turn}`;
    const common = {
      id,
      atMs: at,
      conversation: name,
      turn,
      hasKey: random.chance(0.7),
      ...(random.chance(0.06) && { cancelAfterMs: random.between(0, 1_500) }),
    };
    const asks = turn === turns - 1 || turn === 3;
    if (!asks && random.chance(0.2)) {
      return { ...common, ...voiceTurn(random), manner: random.pick(['async', 'async', 'sync'] as const) };
    }
    const long = random.chance(0.2) ? ` [[words ${random.between(20, 60)}]]` : ` ${plainText(random, 30)}`;
    return {
      ...common,
      kind: 'chat',
      text: `${id}:${asks ? ' [[messages]]' : long}`,
      manner: random.pick(['async', 'async', 'sync', 'stream'] as const),
    };
  });
}
