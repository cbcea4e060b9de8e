/** The language without its region: `pt-BR` is `pt`. Whisper and the servers around it know these alone. */
export function withoutRegion(language: string): string {
  return language.replace(/-.*$/, '').toLowerCase();
}

const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');

/** OpenAI's server answers with English names (`english`), others with codes (`en`). @returns the code where there is one. */
export function languageCode(language: string): string {
  const wanted = withoutRegion(language);
  if (wanted.length <= 3) return wanted;
  for (const first of letters) {
    const code = letters.map((second) => first + second).find((pair) => names.of(pair)?.toLowerCase() === wanted);
    if (code !== undefined) return code;
  }
  return wanted;
}
