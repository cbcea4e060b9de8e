import { describe, expect, test } from 'vitest';
import { describeTtsEngine } from '../conformance/tts-engine.ts';
import { createTestTtsEngine, TEST_TTS_SAMPLE_RATE_HZ, TEST_TTS_SECONDS_PER_CHARACTER } from './test-tts-engine.ts';

describeTtsEngine('the test engine', async () => createTestTtsEngine({ paceMsPerCharacter: 0.2 }));
describeTtsEngine('the test engine without a pace', async () => createTestTtsEngine(), { voice: 'test-high' });

describe('createTestTtsEngine', () => {
  const speak = async (text: string, speed = 1) => {
    const engine = createTestTtsEngine();
    const options = { voice: 'test-low', speed };
    return (await Array.fromAsync(engine.synthesize(text, options, new AbortController().signal))).flatMap(
      ({ samples }) => [...samples],
    );
  };

  test('the length follows from the characters and the speed', async () => {
    const perCharacter = TEST_TTS_SAMPLE_RATE_HZ * TEST_TTS_SECONDS_PER_CHARACTER;
    expect(await speak('x'.repeat(50))).toHaveLength(50 * perCharacter);
    expect(await speak('x'.repeat(50), 2)).toHaveLength(25 * perCharacter);
  });

  test('the same text gives the same sound', async () => {
    expect(await speak('Hello')).toEqual(await speak('Hello'));
  });

  test('obeys the directives in a text', async () => {
    await expect(speak('please [[fail]]')).rejects.toMatchObject({ code: 'TTS_ENGINE_FAILED', retryable: true });
    await expect(speak('[[reject]]')).rejects.toMatchObject({ code: 'TTS_ENGINE_REJECTED', retryable: false });
  });
});
