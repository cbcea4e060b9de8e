import { join } from 'node:path';
import { MODELS_DIR } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realSpeech } from '../../test/speech.ts';
import { eventLoopDelayP99Ms } from '../conformance/process-watch.ts';
import { babble, joined, repeated } from '../conformance/sounds.ts';
import { createSileroVad } from './silero-vad.ts';
import { VAD_WINDOW_SAMPLES, type VoiceActivityDetector } from './voice-activity-detector.ts';

const modelPath = join(MODELS_DIR, 'silero-vad', 'model.onnx');

describe('Silero VAD', () => {
  let vad: VoiceActivityDetector;
  let kennedy: Float32Array;
  beforeAll(async () => {
    vad = await createSileroVad({ modelPath });
    kennedy = whole((await realSpeech())[1].samples);
  });
  afterAll(() => vad.close());

  test('hears speech where it is, and its pauses', async () => {
    const speech = await vad.listen().detect(joined([new Float32Array(VAD_WINDOW_SAMPLES * 60), kennedy]));
    expect(share(speech.subarray(0, 60))).toBe(0);
    expect(share(speech.subarray(60))).toBeGreaterThan(0.5);
    // "And so, my fellow Americans, | ask not | what your country …"
    const [, during] = [60, 60 + Math.round((2.8 * 16_000) / VAD_WINDOW_SAMPLES)];
    expect(share(speech.subarray(during, during + 10))).toBe(0);
    expect(share(speech.subarray(60 + 16, 60 + 60))).toBeGreaterThan(0.9);
  });

  test('hears none in silence and in noise', async () => {
    expect(share(await vad.listen().detect(new Float32Array(VAD_WINDOW_SAMPLES * 300)))).toBe(0);
    expect(share(await vad.listen().detect(whole(babble(10, 3))))).toBeLessThan(0.05);
  });

  test('says the same after a reset, in pieces, and beside other streams', async () => {
    const stream = vad.listen();
    const expected = await stream.detect(kennedy);
    stream.reset();
    expect(await stream.detect(kennedy)).toEqual(expected);
    const [one, other] = [vad.listen(), vad.listen()];
    const pieces: number[] = [];
    for (let at = 0; at < kennedy.length; at += VAD_WINDOW_SAMPLES * 7) {
      const piece = kennedy.subarray(at, at + VAD_WINDOW_SAMPLES * 7);
      const [heard] = await Promise.all([one.detect(piece), other.detect(piece.toReversed())]);
      pieces.push(...heard);
    }
    expect(Uint8Array.from(pieces)).toEqual(expected);
    // One that was used before hears as a new one does.
    for (const used of [stream, one, other]) used.end();
    expect(await vad.listen().detect(kennedy)).toEqual(expected);
  });

  test('the event loop is free while it listens (p99 < 50 ms)', { retry: 2 }, async () => {
    const minute = whole(repeated(kennedy, 60 * 16_000));
    const stream = vad.listen();
    expect(await eventLoopDelayP99Ms(() => stream.detect(minute))).toBeLessThan(50);
  });

  test('closing ends what runs with a retryable error and refuses what comes; a missing model is named', async () => {
    const other = await createSileroVad({ modelPath });
    const running = other.listen().detect(kennedy);
    const ended = { code: 'ASR_ENGINE_FAILED', retryable: true };
    await Promise.all([expect(running).rejects.toMatchObject(ended), other.close(), other.close()]);
    await expect(other.listen().detect(kennedy)).rejects.toMatchObject(ended);
    await expect(createSileroVad({ modelPath: '/no/such/model.onnx' })).rejects.toMatchObject({
      cause: { code: 'ENOENT', path: '/no/such/model.onnx' },
    });
  });
});

/** As many samples as whole windows have. */
function whole(samples: Float32Array): Float32Array {
  return samples.slice(0, samples.length - (samples.length % VAD_WINDOW_SAMPLES));
}

function share(speech: Uint8Array): number {
  return speech.reduce((sum, value) => sum + value, 0) / speech.length;
}
