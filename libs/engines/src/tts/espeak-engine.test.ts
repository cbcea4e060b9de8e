import { createLogger } from '@aigolos/runtime';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { describeTtsEngine } from '../conformance/tts-engine.ts';
import { createEspeakEngine } from './espeak-engine.ts';

const log = createLogger({ service: 'test', level: 'silent' });
const PROGRAM = 'espeak-ng';
/** AIGolos runs without it, so it may be missing. */
const hasEspeak = await execa(PROGRAM, ['--version']).then(
  () => true,
  () => false,
);

describe.runIf(hasEspeak)('with espeak-ng installed', () => {
  describeTtsEngine('espeak-ng', () => createEspeakEngine({ log }));
  describeTtsEngine('espeak-ng in Russian', () => createEspeakEngine({ log }), { voice: 'espeak-ru' });

  test('voices have unique ids and proper names; those of preferred languages come first', async () => {
    const { voices } = await createEspeakEngine({ log, preferredLanguages: ['ru', 'de'] });
    expect(voices.slice(0, 2).map(({ id }) => id)).toEqual(['espeak-ru', 'espeak-de']);
    expect(new Set(voices.map(({ id }) => id)).size).toBe(voices.length);
    expect(voices).toContainEqual({ id: 'espeak-en-us', name: 'English (America)', language: 'en-US' });
    expect(voices.length).toBeGreaterThan(100);
  });

  test('a text cannot be taken for options or phonemes', async () => {
    const engine = await createEspeakEngine({ log });
    const seconds = async (text: string) => {
      const options = { voice: 'espeak-en-us', speed: 1 };
      const audio = await Array.fromAsync(engine.synthesize(text, options, new AbortController().signal));
      return audio.reduce((sum, { samples, sampleRateHz }) => sum + samples.length / sampleRateHz, 0);
    };
    expect(await seconds('--version --voices -w /tmp/x')).toBeGreaterThan(1.5);
    expect(await seconds('[[hello my dear friend]]')).toBeGreaterThan(1);
    await engine.close();
  });
});

describe('createEspeakEngine', () => {
  test('a missing program is named, with the remedy', async () => {
    await expect(createEspeakEngine({ log, espeakPath: '/nowhere/espeak-ng' })).rejects.toMatchObject({
      name: 'TtsServiceError',
      code: 'TTS_ENGINE_FAILED',
      retryable: false,
      message: expect.stringMatching(/\/nowhere\/espeak-ng is missing.*apt-get install espeak-ng/),
    });
  });

  test('a program that is something else is named too', async () => {
    await expect(createEspeakEngine({ log, espeakPath: '/bin/false' })).rejects.toThrow(/does not list its voices/);
  });
});
