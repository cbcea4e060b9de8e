import { type ModelInfo, NotFoundError, VOICE_ALIASES, type Voice } from '@aigolos/contracts';
import type { FoundModel } from './find-model.ts';

const NAMED_IN_MESSAGES = 20;

/**
 * The voice that a request names, and the model that speaks it.
 * - A voice of the model is taken by its id.
 * - A voice of another model is taken too, with that model, where the request left the model open.
 * - OpenAI's names (`alloy` …) stand for the model's first English voice, or its first where it has no English one.
 * - A model that does not say its voices takes any name.
 * @throws NotFoundError that lists the voices there are.
 */
export function chooseVoice<Model extends ModelInfo>(
  { model, byAlias }: FoundModel<Model>,
  others: Model[],
  name: string,
): { model: Model; voice: string } {
  if (model.voices.length === 0 || hasVoice(model, name)) return { model, voice: name };
  const speaker = byAlias ? others.find((other) => other.kind === 'tts' && hasVoice(other, name)) : undefined;
  if (speaker) return { model: speaker, voice: name };
  const standIn = isAlias(name) ? firstEnglish(model.voices) : undefined;
  if (standIn) return { model, voice: standIn.id };

  const known = model.voices.slice(0, NAMED_IN_MESSAGES).map(({ id }) => id);
  const more = model.voices.length - known.length;
  throw new NotFoundError(
    `There is no voice "${name}" of model ${model.id}. Voices: ${known.join(', ')}${more > 0 ? ` and ${more} more` : ''}; GET /v1/audio/voices lists all.`,
    { code: 'VOICE_NOT_FOUND', param: 'voice' },
  );
}

function hasVoice(model: ModelInfo, id: string): boolean {
  return model.voices.some((voice) => voice.id === id);
}

function isAlias(name: string): boolean {
  return VOICE_ALIASES.some((alias) => alias === name);
}

function firstEnglish(voices: Voice[]): Voice | undefined {
  return voices.find(({ language }) => /^en\b/i.test(language)) ?? voices[0];
}
