import { AsrServiceError } from '@aigolos/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ASR_SAMPLE_RATE_HZ, type AsrEngine, type AsrOptions, type AsrTranscript } from '../asr/asr-engine.ts';
import { wordErrorRate } from '../asr/word-error-rate.ts';
import { eventLoopDelayP99Ms, heldBytes } from './process-watch.ts';
import { babble, joined, repeated } from './sounds.ts';

export interface Speech {
  /** Mono f32 at 16 kHz. */
  samples: Float32Array;
  /** What is said. */
  text: string;
}

export interface AsrConformanceOptions {
  /** For engines that truly understand: clips of real English speech. Others are given noise in the rhythm of speech. */
  speech?: () => Promise<[Speech, Speech, ...Speech[]]>;
  /** Length of the audio that counts as very long; it must keep the engine busy for more than a second. */
  longSeconds?: number;
}

const LIVE = new AbortController().signal;
const PLAIN: AsrOptions = { wordTimestamps: false };
const WITH_WORDS: AsrOptions = { wordTimestamps: true };
const MAX_WORD_ERROR_RATE = 0.2;
const TIMEOUT_MS = 180_000;
/** A timing can be spoilt by what else runs on the machine; a guarantee that is broken stays broken. */
const TIMED = { retry: 2, timeout: TIMEOUT_MS };

/** What every `AsrEngine` promises, whatever runs it. `create` makes a new engine each time. */
export function describeAsrEngine(
  name: string,
  create: () => Promise<AsrEngine>,
  { speech, longSeconds = 60 }: AsrConformanceOptions = {},
): void {
  describe(`${name} as an AsrEngine`, { timeout: TIMEOUT_MS }, () => {
    let engine: AsrEngine;
    let sounds: Sounds;
    beforeAll(async () => {
      const clips = (await speech?.()) ?? [
        { samples: babble(3, 1), text: '' },
        { samples: babble(4, 2), text: '' },
      ];
      const all = joined(clips.map(({ samples }) => samples));
      sounds = { clips, long: repeated(all, longSeconds * ASR_SAMPLE_RATE_HZ) };
      engine = await create();
    }, TIMEOUT_MS);
    afterAll(() => engine.close(), TIMEOUT_MS);

    const setting: Setting = {
      transcribe: (samples, { call = WITH_WORDS, signal = LIVE } = {}) => engine.transcribe(samples, call, signal),
      sounds: () => sounds,
      create,
    };
    test('names its model', () => {
      expect(engine.model).toMatch(/./);
    });
    if (speech) describeUnderstanding(setting);
    describeTranscripts(setting);
    describeAborts(setting);
    describeResources(setting, longSeconds);
  });
}

interface Sounds {
  clips: [Speech, Speech, ...Speech[]];
  long: Float32Array;
}

interface Setting {
  transcribe(samples: Float32Array, how?: { call?: AsrOptions; signal?: AbortSignal }): Promise<AsrTranscript>;
  sounds(): Sounds;
  create(): Promise<AsrEngine>;
}

function describeUnderstanding({ transcribe, sounds }: Setting): void {
  test('understands real speech', async () => {
    for (const { samples, text } of sounds().clips) {
      const transcript = await transcribe(samples);
      expect(wordErrorRate(text, textOf(transcript))).toBeLessThanOrEqual(MAX_WORD_ERROR_RATE);
      expect(transcript.language).toBe('en');
    }
  });
}

function describeTranscripts({ transcribe, sounds }: Setting): void {
  test('finds something in each clip, with times in order and words within their segments', async () => {
    for (const { samples } of sounds().clips) {
      const transcript = await transcribe(samples);
      expect(textOf(transcript)).not.toBe('');
      expect(withoutSpaces(transcript.words.map(({ word }) => word).join(''))).toBe(withoutSpaces(textOf(transcript)));
      expectOrder(transcript, samples.length / ASR_SAMPLE_RATE_HZ);
    }
  });

  test('gives words only when asked', async () => {
    expect((await transcribe(sounds().clips[0].samples, { call: PLAIN })).words).toEqual([]);
  });

  test('takes a language, a prompt and a temperature, and says what of them it could not honour', async () => {
    const call = { language: 'en', prompt: 'Small animals.', temperature: 0, wordTimestamps: false };
    const transcript = await transcribe(sounds().clips[0].samples, { call });
    expect(transcript.language).toBe('en');
    expect(textOf(transcript)).not.toBe('');
    for (const warning of transcript.warnings) expect(warning).toMatch(/\w+ .*\.$/);
  });

  test('no samples at all are an empty transcript', async () => {
    expect(await transcribe(new Float32Array(0))).toMatchObject({ segments: [], words: [], warnings: [] });
  });

  test.each([0.005, 0.05, 0.5, 40])('%s s of silence are an empty transcript', async (seconds) => {
    const silence = new Float32Array(seconds * ASR_SAMPLE_RATE_HZ);
    expect(await transcribe(silence)).toMatchObject({ segments: [], words: [] });
  });

  test('concurrent calls get their own answers, the same as one after another', async () => {
    const { clips } = sounds();
    const alone: AsrTranscript[] = [];
    for (const { samples } of clips) alone.push(await transcribe(samples));
    expect(await Promise.all(clips.map(({ samples }) => transcribe(samples)))).toEqual(alone);
  });
}

function describeAborts({ transcribe, sounds }: Setting): void {
  test(
    'an abort in the middle of a call ends it within a second with its reason, and the engine works on',
    TIMED,
    async () => {
      const { clips, long } = sounds();
      const before = await transcribe(clips[0].samples);
      // Twice, because an engine may have to start anew after the first.
      for (let round = 0; round < 2; round += 1) {
        const controller = new AbortController();
        const reason = new Error('cancelled');
        let abortedAt = 0;
        setTimeout(() => {
          abortedAt = performance.now();
          controller.abort(reason);
        }, 300);
        await expect(transcribe(long, { signal: controller.signal })).rejects.toBe(reason);
        expect(performance.now() - abortedAt).toBeLessThan(1_000);
      }
      expect(await transcribe(clips[0].samples)).toEqual(before);
    },
  );

  test('an abort before the call, or while it waits for its turn, ends it at once with its reason', async () => {
    const { clips, long } = sounds();
    const reason = new Error('too late');
    await expect(transcribe(clips[0].samples, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const [first, second] = [new AbortController(), new AbortController()];
    const busy = transcribe(long, { signal: first.signal });
    const waiting = transcribe(clips[0].samples, { signal: second.signal });
    second.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    first.abort(reason);
    await expect(busy).rejects.toBe(reason);
  });
}

function describeResources({ transcribe, sounds, create }: Setting, longSeconds: number): void {
  test(
    `${longSeconds} s at once are transcribed to the end, and the event loop is free meanwhile (p99 < 50 ms)`,
    TIMED,
    async () => {
      let transcript: AsrTranscript | undefined;
      const delayMs = await eventLoopDelayP99Ms(async () => {
        transcript = await transcribe(sounds().long);
      });
      expect(transcript?.segments.at(-1)?.end).toBeGreaterThan(longSeconds - 5);
      expectOrder(transcript ?? { segments: [], words: [] }, longSeconds);
      expect(delayMs).toBeLessThan(50);
    },
  );

  test('memory returns after the calls', async () => {
    // 2 MB of samples a call, of which the first seconds are speech.
    const samples = () => joined([sounds().clips[0].samples, new Float32Array(30 * ASR_SAMPLE_RATE_HZ)]);
    await transcribe(samples());
    const before = heldBytes();
    for (let call = 0; call < 5; call += 1) await transcribe(samples());
    // The collector takes its time with buffers.
    await expect.poll(() => (heldBytes() - before) / 1e6, { timeout: 5_000 }).toBeLessThan(4);
  });

  test('closing twice is fine, ends running calls with a retryable error and refuses new ones', async () => {
    const { clips, long } = sounds();
    const other = await create();
    const running = other.transcribe(long, PLAIN, LIVE);
    await Promise.all([
      expect(running).rejects.toMatchObject({ code: 'ASR_ENGINE_FAILED', retryable: true }),
      other.close(),
      other.close(),
    ]);
    await expect(other.transcribe(clips[0].samples, PLAIN, LIVE)).rejects.toBeInstanceOf(AsrServiceError);
  });
}

function textOf({ segments }: AsrTranscript): string {
  return segments
    .map((segment) => segment.text)
    .join('')
    .trim();
}

function withoutSpaces(text: string): string {
  return text.replaceAll(/\s/g, '');
}

function expectOrder({ segments, words }: Pick<AsrTranscript, 'segments' | 'words'>, durationSeconds: number): void {
  let earliest = 0;
  for (const [index, { id, start, end }] of segments.entries()) {
    expect(id).toBe(index);
    expect(start).toBeGreaterThanOrEqual(earliest);
    expect(end).toBeGreaterThanOrEqual(start);
    earliest = end;
  }
  expect(earliest).toBeLessThanOrEqual(durationSeconds);
  earliest = 0;
  for (const { start, end } of words) {
    expect(start).toBeGreaterThanOrEqual(earliest);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(segments.some((segment) => segment.start <= start && end <= segment.end)).toBe(true);
    earliest = end;
  }
}
