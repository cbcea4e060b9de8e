import type { Voice } from '@aigolos/contracts';

export interface EspeakVoice extends Voice {
  /** What espeak-ng's `-v` takes. */
  espeakName: string;
}

/**
 * The table that `espeak-ng --voices` prints, such as `5  ru  --/M  Russian  zle/ru`: one voice a language tag.
 * The id is `espeak-` and that tag (`espeak-ru`).
 */
export function parseEspeakVoices(table: string): EspeakVoice[] {
  const voices = new Map<string, EspeakVoice>();
  for (const line of table.split('\n')) {
    const [, tag, name] = /^\s*\d+\s+(\S+)\s+\S+\s+(\S+)\s+\S+/.exec(line) ?? [];
    if (tag === undefined || name === undefined || voices.has(tag)) continue;
    const id = `espeak-${tag.toLowerCase()}`;
    voices.set(tag, { id, name: name.replaceAll('_', ' ').trim(), language: toLanguageTag(tag), espeakName: tag });
  }
  return [...voices.values()];
}

/** `en-us` as `en-US`; what is no BCP 47 tag stays as it is. */
function toLanguageTag(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? tag;
  } catch {
    return tag;
  }
}
