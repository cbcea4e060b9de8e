/* oxlint-disable no-underscore-dangle -- so Emscripten names what a module exports */
import type { SonicModule } from '@echogarden/sonic-wasm';
import type { TtsAudio } from './tts-engine.ts';

/** Samples that are handed over at once: half a second, a few milliseconds of work. */
const BLOCK_SAMPLES = 11_025;

let loading: Promise<SonicModule> | undefined;

/** One module serves all streams; it is small and has no state beside them. */
function loadSonic(): Promise<SonicModule> {
  loading ??= import('@echogarden/sonic-wasm').then(({ default: Sonic }) => Sonic());
  return loading;
}

/**
 * Makes speech faster (`speed` over 1) or slower without changing its pitch: what takes 3 s takes 1 s at speed 3.
 * Works by Sonic (github.com/waywardgeek/sonic), which was made for speech. All stretches must have the same rate.
 */
export async function* changeTempo(speech: AsyncIterable<TtsAudio>, speed: number): AsyncGenerator<TtsAudio> {
  if (Math.abs(speed - 1) < 0.01) {
    yield* speech;
    return;
  }
  const sonic = await loadSonic();
  let stream: SonicStream | undefined;
  try {
    for await (const { samples, sampleRateHz } of speech) {
      stream ??= openStream(sonic, sampleRateHz, speed);
      for (let at = 0; at < samples.length; at += BLOCK_SAMPLES) {
        stream.write(samples.subarray(at, at + BLOCK_SAMPLES));
        yield* stream.read();
      }
    }
    stream?.flush();
    yield* stream?.read() ?? [];
  } finally {
    stream?.close();
  }
}

interface SonicStream {
  write(samples: Float32Array): void;
  /** What is ready: nothing, or one stretch. */
  read(): TtsAudio[];
  flush(): void;
  close(): void;
}

function openStream(sonic: SonicModule, sampleRateHz: number, speed: number): SonicStream {
  const stream = sonic._sonicCreateStream(sampleRateHz, 1);
  sonic._sonicSetSpeed(stream, speed);
  const withBuffer = <T>(samples: number, use: (pointer: number) => T): T => {
    const pointer = sonic._malloc(samples * Float32Array.BYTES_PER_ELEMENT);
    try {
      return use(pointer);
    } finally {
      sonic._free(pointer);
    }
  };
  const succeed = (result: number) => {
    if (result !== 1) throw new Error('Sonic is out of memory.');
  };
  return {
    write: (samples) =>
      withBuffer(samples.length, (pointer) => {
        sonic.HEAPF32.set(samples, pointer / Float32Array.BYTES_PER_ELEMENT);
        succeed(sonic._sonicWriteFloatToStream(stream, pointer, samples.length));
      }),
    read: () => {
      const available = sonic._sonicSamplesAvailable(stream);
      if (available === 0) return [];
      return withBuffer(available, (pointer) => {
        const count = sonic._sonicReadFloatFromStream(stream, pointer, available);
        const begin = pointer / Float32Array.BYTES_PER_ELEMENT;
        return [{ samples: sonic.HEAPF32.slice(begin, begin + count), sampleRateHz }];
      });
    },
    flush: () => succeed(sonic._sonicFlushStream(stream)),
    close: () => sonic._sonicDestroyStream(stream),
  };
}
