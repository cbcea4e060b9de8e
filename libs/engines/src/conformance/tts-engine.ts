import { TtsServiceError } from '@aigolos/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TtsAudio, TtsEngine } from '../tts/tts-engine.ts';
import { elapsedMs, residentGrowthBytes } from './measure.ts';
import { eventLoopDelayP99Ms } from './process-watch.ts';

export interface TtsConformance {
  /** Which of its voices speaks; the first unless said. */
  voice?: string;
  /** A text without any place to pause, far over a sentence. */
  longText?: string;
  /** The longest text that it takes, where it does not take every length. */
  maxCharacters?: number;
}

const LIVE = new AbortController().signal;
const TEXT = 'Ask not what your country can do for you, ask what you can do for your country. This is the end.';
const ENDLESS_CHARACTERS = 70_000;
/** A timing can be spoilt by what else runs on the machine; a guarantee that is broken stays broken. */
const TIMED = { retry: 2, timeout: 60_000 };

/** What every speech engine promises, whatever runs it. `create` makes a new engine each time. */
export function describeTtsEngine(name: string, create: () => Promise<TtsEngine>, options: TtsConformance = {}): void {
  describe(`${name} as a TtsEngine`, { timeout: 60_000 }, () => {
    let engine: TtsEngine;
    let voice: string;
    beforeAll(async () => {
      engine = await create();
      voice = options.voice ?? engine.voices[0]?.id ?? '';
    });
    afterAll(() => engine.close());
    const say: Say = (text, { speed = 1, signal = LIVE } = {}) => speak(engine, text, { voice, speed, signal });

    describeSpeech(say, options);
    describeAborts(say, () => ({ engine, voice }), options);
    describeResources(say, create, options);
  });
}

type Say = (text: string, options?: { speed?: number; signal?: AbortSignal }) => Promise<Spoken>;

function describeSpeech(say: Say, { longText = 'word '.repeat(240) }: TtsConformance): void {
  test('a text is spoken: sound, at one rate, within -1 to 1', async () => {
    const { audio, samples, seconds } = await say(TEXT);
    expect(new Set(audio.map(({ sampleRateHz }) => sampleRateHz)).size).toBe(1);
    expect(loudness(samples)).toBeGreaterThan(0.01);
    expect(samples.every((sample) => Math.abs(sample) <= 1)).toBe(true);
    expect(seconds).toBeGreaterThan(2);
    expect(seconds).toBeLessThan(20);
  });

  test.each([0.25, 0.5, 2, 4])('speed %d changes the duration by that factor', async (speed) => {
    const natural = await say(TEXT);
    const changed = await say(TEXT, { speed });
    const factor = natural.seconds / changed.seconds;
    expect(factor / speed).toBeGreaterThan(0.8);
    expect(factor / speed).toBeLessThan(1.25);
    expect(loudness(changed.samples)).toBeGreaterThan(0.01);
  });

  test.each(['', ' \n\t', '...', '\u0000', '\ud800'])('nothing is heard of %j', async (text) => {
    const { samples } = await say(text);
    expect(loudness(samples)).toBeLessThan(0.01);
  });

  test.each(['😀', 'Привет', '日本語', '<b>&amp;</b> [[h@l]]', '\u0007bell'])('%j does no harm', async (text) => {
    expect((await say(text)).seconds).toBeLessThan(20);
    expect((await say('Good morning.')).seconds).toBeGreaterThan(0.3);
  });

  test('a very long sentence is spoken to its end', async () => {
    const short = await say(longText.slice(0, longText.length / 8));
    const { seconds } = await say(longText);
    expect(seconds / short.seconds).toBeGreaterThan(5);
  });

  test('concurrent calls do not mix', async () => {
    const alone = await say(TEXT);
    const together = await Promise.all([say(TEXT), say(TEXT), say(`${TEXT} ${TEXT}`)]);
    const factors = together.map(({ seconds }) => seconds / alone.seconds);
    expect(factors.map((factor) => Math.round(factor))).toEqual([1, 1, 2]);
  });
}

function describeAborts(
  say: Say,
  parts: () => { engine: TtsEngine; voice: string },
  { maxCharacters = ENDLESS_CHARACTERS }: TtsConformance,
): void {
  const endless = 'one two three four five six seven, '.repeat(2_000).slice(0, maxCharacters);

  test('a call whose signal is aborted already throws its reason', async () => {
    const reason = new Error('too late');
    await expect(say(TEXT, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test.each([0, 1])(
    'an abort after %d stretches ends a call within a second, and the next works',
    TIMED,
    async (count) => {
      const { engine, voice } = parts();
      const controller = new AbortController();
      const reason = new Error('enough');
      const speech = engine.synthesize(endless, { voice, speed: 1 }, controller.signal);
      for (let stretch = 0; stretch < count; stretch++) await speech.next();
      const rest = (async () => {
        for await (const _ of speech);
      })();
      controller.abort(reason);
      expect(await elapsedMs(rest)).toBeLessThan(1_000);
      await expect(rest).rejects.toBe(reason);
      expect((await say(TEXT)).seconds).toBeGreaterThan(2);
    },
  );

  test('speech that is not read to its end leaves nothing behind', async () => {
    const { engine, voice } = parts();
    for (let call = 0; call < 4; call++) {
      for await (const { samples } of engine.synthesize(endless, { voice, speed: 2 }, LIVE))
        if (samples.length > 0) break;
    }
    expect((await say(TEXT)).seconds).toBeGreaterThan(2);
  });

  test('an unknown voice is refused for good', async () => {
    const speech = parts().engine.synthesize(TEXT, { voice: 'nobody', speed: 1 }, LIVE);
    await expect(speech.next()).rejects.toMatchObject({ code: 'TTS_ENGINE_REJECTED', retryable: false });
  });
}

function describeResources(
  say: Say,
  create: () => Promise<TtsEngine>,
  { maxCharacters = ENDLESS_CHARACTERS }: TtsConformance,
): void {
  test('the event loop is never late while it works (p99 under 50 ms)', TIMED, async () => {
    expect(await eventLoopDelayP99Ms(() => Promise.all([say(TEXT), say(TEXT, { speed: 0.5 })]))).toBeLessThan(50);
  });

  test('memory returns after speech', TIMED, async () => {
    const many = async (count: number) => {
      for (let call = 0; call < count; call++) await say(TEXT, { speed: 1.5 });
    };
    await many(3);
    expect(await residentGrowthBytes(() => many(8))).toBeLessThan(48 * 1024 ** 2);
  });

  test('close ends calls that run, may be called twice, and later calls fail', async () => {
    const closing = await create();
    const voice = closing.voices[0]?.id ?? '';
    const running = closing.synthesize(`${TEXT} `.repeat(50).slice(0, maxCharacters), { voice, speed: 1 }, LIVE);
    await running.next();
    await Promise.all([
      expect(Array.fromAsync(running)).rejects.toBeInstanceOf(TtsServiceError),
      closing.close(),
      closing.close(),
    ]);
    await expect(speak(closing, TEXT, { voice, speed: 1, signal: LIVE })).rejects.toBeInstanceOf(TtsServiceError);
  });
}

interface Spoken {
  audio: TtsAudio[];
  samples: Float32Array;
  seconds: number;
}

async function speak(
  engine: TtsEngine,
  text: string,
  { voice, speed, signal }: { voice: string; speed: number; signal: AbortSignal },
): Promise<Spoken> {
  const audio = await Array.fromAsync(engine.synthesize(text, { voice, speed }, signal));
  const samples = new Float32Array(audio.reduce((sum, stretch) => sum + stretch.samples.length, 0));
  let at = 0;
  for (const stretch of audio) {
    samples.set(stretch.samples, at);
    at += stretch.samples.length;
  }
  return { audio, samples, seconds: samples.length / (audio[0]?.sampleRateHz ?? 1) };
}

/** Root mean square; speech has 0.05 to 0.2. */
function loudness(samples: Float32Array): number {
  const squares = samples.reduce((sum, sample) => sum + sample * sample, 0);
  return samples.length === 0 ? 0 : Math.sqrt(squares / samples.length);
}
