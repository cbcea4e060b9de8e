import { describe, expect, test } from 'vitest';
import { changeTempo } from './tempo.ts';
import type { TtsAudio } from './tts-engine.ts';

const RATE_HZ = 22_050;
const PITCH_HZ = 150;
const SECONDS = 4;

/** A steady tone in four stretches. */
async function* tone(): AsyncGenerator<TtsAudio> {
  const perStretch = (RATE_HZ * SECONDS) / 4;
  for (let stretch = 0; stretch < 4; stretch++) {
    const at = stretch * perStretch;
    const samples = Float32Array.from({ length: perStretch }, (_, index) => sineAt(at + index));
    yield { samples, sampleRateHz: RATE_HZ };
  }
}
const sineAt = (index: number) => 0.5 * Math.sin((2 * Math.PI * PITCH_HZ * index) / RATE_HZ);

async function changed(speed: number) {
  const audio = await Array.fromAsync(changeTempo(tone(), speed));
  return { audio, samples: audio.flatMap(({ samples }) => [...samples]) };
}

describe('changeTempo', () => {
  test.each([0.25, 0.5, 0.9, 1.1, 2, 4])(
    'speed %d changes the length by that factor and not the pitch',
    async (speed) => {
      const { audio, samples } = await changed(speed);
      expect(Math.abs((samples.length / RATE_HZ) * speed - SECONDS)).toBeLessThan(0.1);
      expect(audio.every(({ sampleRateHz }) => sampleRateHz === RATE_HZ)).toBe(true);
      const crossings = samples.filter((sample, index) => sample >= 0 && (samples[index - 1] ?? 0) < 0).length;
      expect(Math.abs(crossings / (samples.length / RATE_HZ) - PITCH_HZ)).toBeLessThan(5);
    },
  );

  test('speed 1 leaves the samples as they are', async () => {
    expect((await changed(1)).samples).toEqual((await Array.fromAsync(tone())).flatMap(({ samples }) => [...samples]));
  });

  test('the first sound comes before the last was given', async () => {
    let given = 0;
    async function* counted() {
      for await (const stretch of tone()) {
        given += 1;
        yield stretch;
      }
    }
    await changeTempo(counted(), 2).next();
    expect(given).toBe(1);
  });

  test('no speech stays no speech', async () => {
    async function* nothing(): AsyncGenerator<TtsAudio> {}
    expect(await Array.fromAsync(changeTempo(nothing(), 2))).toEqual([]);
  });

  test('streams side by side do not mix', async () => {
    const [slow, fast] = await Promise.all([changed(0.5), changed(2)]);
    expect(Math.round(slow.samples.length / fast.samples.length)).toBe(4);
  });
});
