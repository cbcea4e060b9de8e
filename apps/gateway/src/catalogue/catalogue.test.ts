import type { ModelInfo } from '@aigolos/contracts';
import { describe, expect, test } from 'vitest';
import { chooseVoice } from './choose-voice.ts';
import { findModel } from './find-model.ts';

const model = (id: string, fields: Partial<ModelInfo> = {}): ModelInfo => ({
  id,
  kind: 'tts',
  isDefault: false,
  languages: [],
  voices: [],
  license: 'MIT',
  ...fields,
});
const voice = (id: string, language: string) => ({ id, name: id, language });
const piper = model('piper', {
  isDefault: true,
  voices: [voice('irina', 'ru'), voice('joe', 'en-US'), voice('amy', 'en')],
});
const espeak = model('espeak', { voices: [voice('de', 'de'), voice('en-gb', 'en-GB')] });
const whisper = model('whisper', { kind: 'asr' });
const all = [espeak, piper, whisper];

describe('finding a model', () => {
  test('by its id, or by a name of OpenAI that stands for the default one', () => {
    expect(findModel(all, 'tts', 'espeak')).toEqual({ model: espeak, byAlias: false });
    expect(findModel(all, 'tts', 'tts-1')).toEqual({ model: piper, byAlias: true });
  });

  test('an unknown name is refused with those that exist', () => {
    expect(() => findModel(all, 'tts', 'nope')).toThrow(
      'There is no model "nope". Models for speech here: espeak, piper.',
    );
  });

  test.each(['whisper', 'whisper-1'])('%s is known, but for other work', (name) => {
    expect(() => findModel(all, 'tts', name)).toThrow(`Model "${name}" is for transcription. Models for speech here`);
  });

  test('a kind that no worker has announced is a matter of time', () => {
    expect(() => findModel(all, 'llm', 'gpt-4o')).toThrow(expect.objectContaining({ code: 'SERVICE_UNAVAILABLE' }));
  });
});

describe('choosing a voice', () => {
  const byAlias = { model: piper, byAlias: true };
  const byName = { model: piper, byAlias: false };

  test('of the model, by its id', () => {
    expect(chooseVoice(byName, all, 'amy')).toEqual({ model: piper, voice: 'amy' });
  });
  test('of another model only where the request left the model open', () => {
    expect(chooseVoice(byAlias, all, 'en-gb')).toEqual({ model: espeak, voice: 'en-gb' });
    expect(() => chooseVoice(byName, all, 'en-gb')).toThrow('Voices: irina, joe, amy;');
  });
  test("OpenAI's names stand for the first English voice, or the first", () => {
    expect(chooseVoice(byAlias, all, 'alloy')).toEqual({ model: piper, voice: 'joe' });
    const german = model('german', { voices: [voice('thorsten', 'de')] });
    expect(chooseVoice({ model: german, byAlias: false }, all, 'nova')).toEqual({ model: german, voice: 'thorsten' });
  });
  test('a model that does not say its voices takes any name', () => {
    const remote = model('remote');
    expect(chooseVoice({ model: remote, byAlias: false }, all, 'alloy')).toEqual({ model: remote, voice: 'alloy' });
  });
  test('a long list is cut', () => {
    const many = model('many', { voices: Array.from({ length: 25 }, (_, index) => voice(`v${index}`, 'en')) });
    expect(() => chooseVoice({ model: many, byAlias: false }, all, 'nope')).toThrow(
      'v19 and 5 more; GET /v1/audio/voices',
    );
  });
});
