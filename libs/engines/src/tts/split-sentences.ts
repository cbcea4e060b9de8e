/** About ten seconds of speech: what an engine makes at once, and so how long an abort or the first sound can take. */
const MAX_SENTENCE_CHARACTERS = 160;
/** A sentence this short is an abbreviation ("Dr. ") or a number ("1. "): it is spoken with what follows. */
const MIN_SENTENCE_CHARACTERS = 6;

/** A comma within a number has no space after it. */
const CLAUSE_END = /[,;:)\]–—]\s+|[、，；：]/gu;
const SPACE = /\s+/gu;
/** Sentences end at these by themselves, so nothing but spaces can follow. */
const LINE_END = /[\n\r\u0085\u2028\u2029][^\S\n]*$/u;

export interface SplitOptions {
  /** BCP 47, such as `ru`; its rules for where sentences end. */
  language?: string | undefined;
  /** A longer sentence is cut, at a comma or the like if there is one, else at a space, else anywhere. */
  maxCharacters?: number | undefined;
}

/**
 * Cuts a text into sentences to be spoken one by one. Nothing is lost: the pieces joined are the text. A piece has at
 * most `maxCharacters` UTF-16 units, save that a character is never cut.
 */
export function splitSentences(text: string, options: SplitOptions = {}): string[] {
  const { language, maxCharacters = MAX_SENTENCE_CHARACTERS } = options;
  const sentences = Array.from(segmenter('sentence', language).segment(text), ({ segment }) => segment);
  return joinShort(sentences).flatMap((sentence) => cutLong(sentence, maxCharacters));
}

type Granularity = 'sentence' | 'grapheme';
/** One costs as much as cutting a page; there are as many as voices have languages. */
const segmenters = new Map<string, Intl.Segmenter>();

function segmenter(granularity: Granularity, language = 'en'): Intl.Segmenter {
  const key = `${granularity} ${language}`;
  const known = segmenters.get(key) ?? createSegmenter(granularity, language);
  segmenters.set(key, known);
  return known;
}

function createSegmenter(granularity: Granularity, language: string): Intl.Segmenter {
  try {
    return new Intl.Segmenter(language, { granularity });
  } catch {
    // Not a language tag: the rules of Unicode that hold for all of them.
    return new Intl.Segmenter('en', { granularity });
  }
}

function joinShort(sentences: readonly string[]): string[] {
  const joined: string[] = [];
  let begun: string[] = [];
  let characters = 0;
  for (const sentence of sentences) {
    begun.push(sentence);
    characters += sentence.trim().length;
    // The end of a line ends a sentence, however short it is.
    if (characters < MIN_SENTENCE_CHARACTERS && !LINE_END.test(sentence)) continue;
    joined.push(begun.join(''));
    begun = [];
    characters = 0;
  }
  if (begun.length > 0) joined.push(begun.join(''));
  return joined;
}

function cutLong(sentence: string, maxCharacters: number): string[] {
  const pieces: string[] = [];
  let rest = sentence;
  while (rest.length > maxCharacters) {
    const at = placeToCut(rest, maxCharacters);
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at);
  }
  if (rest !== '') pieces.push(rest);
  return pieces;
}

/** Index right after the last clause end, else the last space, else the last whole character within the limit. */
function placeToCut(text: string, maxCharacters: number): number {
  const head = text.slice(0, maxCharacters);
  for (const boundary of [CLAUSE_END, SPACE]) {
    const last = Array.from(head.matchAll(boundary)).at(-1);
    // A cut near the beginning would leave a scrap.
    if (last !== undefined && last.index >= maxCharacters / 3) return last.index + last[0].length;
  }
  return wholeCharacters(text, maxCharacters);
}

function wholeCharacters(text: string, maxCharacters: number): number {
  // Long enough to hold the character that the limit falls into; longer ones (hundreds of marks) are cut.
  const window = text.slice(0, maxCharacters + 64);
  const containing = segmenter('grapheme', undefined).segment(window).containing(maxCharacters);
  const at = containing?.index ?? maxCharacters;
  return at > 0 ? at : maxCharacters;
}
