import { AUDIO_CLIPS } from './audio.ts';

/** What the test engine hears. */
const HEARD = 'alfa|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett|kilo|lima|mike|november|oscar|papa';

/**
 * What nobody but its owner may come to see, by what it looks like in tests: keys and secrets as the system makes them, prompts by
 * what they tell test engines, what those answer and hear, and what is said in the clips.
 */
const LOOKS: Record<string, RegExp> = {
  'an API key': /\bag_[\da-f]{32}_[\dA-Za-z]{38}/,
  "a webhook's secret": /\bwhsec_[\w+/=-]{16,}/,
  'a prompt': /\[\[(?:fail|reject|hang|crash|messages|words \d+|call [^\]]+)\]\]/,
  'an answer': /\becho\(\d+\): |\bword1 word2\b/,
  'a transcript': new RegExp(
    [
      String.raw`\b(?:(?:${HEARD})\s+){3}`,
      ...Object.values(AUDIO_CLIPS).flatMap(({ text }) => text?.split(' ').slice(-3).join(' ') ?? []),
    ].join('|'),
    'i',
  ),
};

/** Of a secret that was found, so much is shown of what stands around it. */
const SHOWN_CHARACTERS = 60;

/** Which secrets stand in this text, with what stands before them. */
export function secretsIn(text: string): string[] {
  return Object.entries(LOOKS).flatMap(([what, look]) => {
    const at = text.search(look);
    return at === -1 ? [] : [`${what} after "${text.slice(Math.max(0, at - SHOWN_CHARACTERS), at)}"`];
  });
}

const found: string[] = [];

/** Looks for secrets in what others than their owners may see; each file of tests fails at its end where there were any. */
export function watchForSecrets(where: string, text: string): void {
  found.push(...secretsIn(text).map((secret) => `${where}: ${secret}`));
}

/** Where secrets were seen since this was asked last. */
export function takeFoundSecrets(): string[] {
  return found.splice(0);
}
