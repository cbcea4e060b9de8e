/** What is said when, in seconds: a sentence of a speech, a segment of a transcript. */
interface Sentence {
  text: string;
  start: number;
  end: number;
}

interface Cue {
  lines: string[];
  start: number;
  end: number;
}

/** What can be read on a screen at once: two lines of so many columns. */
const LINE_COLUMNS = 42;
const CUE_LINES = 2;
/** A cut at a clause is better than one in the middle, unless a scrap would be left. */
const CLAUSE_WITHIN = [0.25, 0.75] as const;
const CLAUSE_END = /[,;:)\]–—](?=\s)|[、，；：。]/gu;
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303F\uFF00-\uFF60]/gu;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A book has thousands of sentences: others get their turn after so many. */
const SENTENCES_AT_ONCE = 50;

/** Sentences as SubRip (.srt), a page at a time. */
export function* toSubRip(sentences: Sentence[]): Generator<string> {
  let number = 0;
  for (const page of pagesOf(sentences)) {
    yield page
      .map(({ lines, start, end }) => {
        number += 1;
        const separator = number === 1 ? '' : '\n';
        const text = lines.join('\n').replaceAll('-->', '→');
        return `${separator}${number}\n${times(start, end, ',')}\n${text}\n`;
      })
      .join('');
  }
}

/** Sentences as WebVTT, a page at a time. */
export function* toWebVtt(sentences: Sentence[]): Generator<string> {
  yield 'WEBVTT\n';
  for (const page of pagesOf(sentences)) {
    yield page
      .map(({ lines, start, end }) => {
        const text = lines.join('\n').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
        return `\n${times(start, end, '.')}\n${text}\n`;
      })
      .join('');
  }
}

function* pagesOf(sentences: Sentence[]): Generator<Cue[]> {
  for (let at = 0; at < sentences.length; at += SENTENCES_AT_ONCE) {
    yield sentences.slice(at, at + SENTENCES_AT_ONCE).flatMap(cuesOf);
  }
}

/** A sentence in pieces that can be read at once, each for its share of the time by its characters. */
function cuesOf({ text, start, end }: Sentence): Cue[] {
  const pieces = piecesOf(text.trim().replaceAll(/\s+/g, ' '));
  const characters = pieces.reduce((sum, piece) => sum + piece.length, 0);
  let before = 0;
  const timeAt = (count: number) => start + ((end - start) * count) / characters;
  return pieces.map((piece) => {
    const cue = { lines: linesOf(piece) ?? [piece], start: timeAt(before), end: timeAt(before + piece.length) };
    before += piece.length;
    return cue;
  });
}

function piecesOf(text: string): string[] {
  if (linesOf(text)) return [text];
  const at = placeToCut(text);
  return at === undefined ? [text] : [text.slice(0, at), text.slice(at)].flatMap((half) => piecesOf(half.trim()));
}

/** The text on as many lines as a cue has at most; nothing where it needs more. */
function linesOf(text: string): string[] | undefined {
  if (columnsOf(text) <= LINE_COLUMNS) return [text];
  const middle = text.length / 2;
  const cuts = [...spacesIn(text)].toSorted((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
  // Scripts without spaces are cut between any two characters.
  const all = cuts.length > 0 ? cuts : [boundaryNear(text, middle) ?? text.length];
  for (const at of all) {
    const lines = [text.slice(0, at).trim(), text.slice(at).trim()];
    if (lines.every((line) => columnsOf(line) <= LINE_COLUMNS)) return lines.slice(0, CUE_LINES);
  }
  return undefined;
}

/** After the clause that ends nearest to the middle, else at the space, else between the characters there. */
function placeToCut(text: string): number | undefined {
  const middle = text.length / 2;
  const nearest = (places: number[]) => places.toSorted((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0];
  const [least, most] = CLAUSE_WITHIN;
  const clauses = Array.from(text.matchAll(CLAUSE_END), ({ index }) => index + 1);
  const clause = nearest(clauses.filter((at) => at >= text.length * least && at <= text.length * most));
  return clause ?? nearest([...spacesIn(text)]) ?? boundaryNear(text, middle);
}

function* spacesIn(text: string): Generator<number> {
  for (let at = text.indexOf(' '); at >= 0; at = text.indexOf(' ', at + 1)) if (at > 0) yield at;
}

/** Where a character begins, not at the very beginning. */
function boundaryNear(text: string, place: number): number | undefined {
  const found = graphemes.segment(text).containing(Math.floor(place));
  if (!found) return undefined;
  if (found.index > 0) return found.index;
  const next = found.segment.length;
  return next < text.length ? next : undefined;
}

/** East Asian characters are as wide as two others. */
function columnsOf(text: string): number {
  return text.length + (text.match(WIDE)?.length ?? 0);
}

/** A cue that ends when it begins is shown by no player: it lasts a millisecond at least. */
function times(start: number, end: number, decimalMark: ',' | '.'): string {
  const [from, to] = [Math.round(start * 1_000), Math.round(end * 1_000)];
  return `${timestamp(from, decimalMark)} --> ${timestamp(Math.max(to, from + 1), decimalMark)}`;
}

function timestamp(total: number, decimalMark: ',' | '.'): string {
  const part = (count: number, digits = 2) => String(count).padStart(digits, '0');
  const [hours, minutes] = [Math.floor(total / 3_600_000), Math.floor(total / 60_000) % 60];
  const clock = `${part(hours)}:${part(minutes)}:${part(Math.floor(total / 1_000) % 60)}`;
  return `${clock}${decimalMark}${part(total % 1_000, 3)}`;
}
