import { asrRejected } from './asr-error.ts';
import { withoutRegion } from './language-code.ts';

/**
 * The language as Whisper names it: `pt-BR` is `pt`.
 * @throws AsrServiceError `ASR_ENGINE_REJECTED` for one that the model does not know.
 */
export function whisperLanguage(
  language: string | undefined,
  { model, languages }: { model: string; languages: readonly string[] },
): string | undefined {
  if (language === undefined) return undefined;
  const code = withoutRegion(language);
  if (languages.includes(code)) return code;
  const known =
    languages.length === 1
      ? `understands ${languages[0]} only; choose a multilingual model, such as whisper-base`
      : `does not know it; it knows ${languages.join(', ')}`;
  throw asrRejected(`The audio cannot be transcribed as "${language}": model ${model} ${known}.`, {
    param: 'language',
  });
}
