/** Letters, digits, symbols (emoji have names) and the marks that are read out; not dots, dashes and spaces. */
const SPEAKABLE = /[\p{L}\p{N}\p{S}%&@#§]/u;

/** The text as an engine can take it (no control characters, no broken UTF-16), or undefined if nothing can be heard of it. */
export function speakable(text: string): string | undefined {
  const clean = text.toWellFormed().replaceAll(/[\p{Cc}\uFFFD]+/gu, ' ');
  return SPEAKABLE.test(clean) ? clean : undefined;
}
