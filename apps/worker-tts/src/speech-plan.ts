import { splitSentences } from '@aigolos/engines/tts';

/** One sentence as it is spoken, and where in the text it ends with what follows it unheard, in UTF-16 units. */
export interface PlannedSentence {
  text: string;
  textEnd: number;
  /** A chapter begins with it. */
  chapter?: string;
}

/** What is longer is no heading. */
const HEADING_CHARACTERS = 200;
const MARKDOWN_HEADING = /^ {0,3}(#{1,6})[ \t]+(?=\S)/;
const CLOSING_MARKS = / +#+$/;
/** Deeper headings are spoken as any sentence. */
const CHAPTER_LEVELS = 2;
/** "Chapter 3", "Глава IV." or "Chapter 3: The storm", alone on a line; not a sentence that begins like it. */
const CHAPTER_LINE =
  /^(?:chapter|chapitre|capítulo|capitolo|kapitel|глава|розділ)\s+(?:\d{1,4}|[ivxlcdm]{1,9})(?:\s?[.:–—-]\s?[^\s.][^.]{0,80})?\.?$/iu;

/** Cuts a text into the sentences to be spoken one by one, and finds where its chapters begin. */
export function planSpeech(input: string, language?: string): PlannedSentence[] {
  const plan: PlannedSentence[] = [];
  let begin = 0;
  for (const { start, end } of linesOf(input)) {
    const heading = headingOf(input.slice(start, Math.min(end, start + HEADING_CHARACTERS + 1)));
    if (!heading) continue;
    addText(plan, input.slice(begin, start), begin, language);
    for (const [index, text] of splitSentences(heading.title, { language }).entries()) {
      plan.push({ text, textEnd: end, ...(index === 0 && heading.isChapter && { chapter: heading.title }) });
    }
    begin = end;
  }
  addText(plan, input.slice(begin), begin, language);
  return plan;
}

function* linesOf(text: string): Generator<{ start: number; end: number }> {
  for (let start = 0; start < text.length; ) {
    const at = text.indexOf('\n', start);
    const end = at < 0 ? text.length : at + 1;
    yield { start, end };
    start = end;
  }
}

function headingOf(line: string): { title: string; isChapter: boolean } | undefined {
  if (line.length > HEADING_CHARACTERS) return undefined;
  const marks = MARKDOWN_HEADING.exec(line);
  if (marks) {
    const title = line.slice(marks[0].length).trim().replace(CLOSING_MARKS, '');
    return { title, isChapter: (marks[1]?.length ?? 0) <= CHAPTER_LEVELS };
  }
  const title = line.trim();
  return CHAPTER_LINE.test(title) ? { title, isChapter: true } : undefined;
}

function addText(plan: PlannedSentence[], text: string, offset: number, language: string | undefined): void {
  if (text === '') return;
  let textEnd = offset;
  for (const piece of splitSentences(text, { language })) {
    textEnd += piece.length;
    const previous = plan.at(-1);
    if (/\S/.test(piece)) plan.push({ text: piece, textEnd });
    else if (previous) previous.textEnd = textEnd;
  }
}
