import { join } from 'node:path';
import { createFasterWhisperEngine, wordErrorRate } from '@aigolos/engines/asr';
import { createLogger } from '@aigolos/runtime';
import { longSpeech, MODELS_DIR, speechPython } from '@aigolos/testing';
import { startStack } from '../test/stack.ts';
import { encode, submit } from './long-file.ts';

interface Accuracy {
  wrongWordsPercent: number;
  seconds: number;
}

/** How many words of a long file are wrong when a worker cuts it, and when the engine is given all of it at once. */
export async function measureAccuracy(options: {
  model: string;
  folder: string;
  minutes: number;
}): Promise<{ inChunks: Accuracy; inOnePiece: Accuracy }> {
  const { model, folder, minutes } = options;
  const { samples, text } = await longSpeech({ seconds: minutes * 60, pauseSeconds: [0.3, 2] });
  const path = join(folder, 'accuracy.flac');
  await encode(samples, path);
  return {
    inChunks: await judge(text, async () => {
      const stack = await startStack({ engines: 'real', env: { ASR_MODEL: model } });
      try {
        return await submit(stack, path);
      } finally {
        await stack.stop();
      }
    }),
    inOnePiece: await judge(text, () => transcribeWhole(model, samples)),
  };
}

async function judge(reference: string, transcribe: () => Promise<{ text: string }>): Promise<Accuracy> {
  const begun = performance.now();
  const { text } = await transcribe();
  const seconds = Math.round((performance.now() - begun) / 1_000);
  return { wrongWordsPercent: Math.round(wordErrorRate(reference, text) * 10_000) / 100, seconds };
}

async function transcribeWhole(model: string, samples: Float32Array): Promise<{ text: string }> {
  const log = createLogger({ service: 'bench', level: 'silent' });
  const modelDir = join(MODELS_DIR, model);
  const engine = await createFasterWhisperEngine({ model, modelDir, pythonPath: speechPython(), log });
  try {
    const { segments } = await engine.transcribe(samples, { wordTimestamps: true }, new AbortController().signal);
    return { text: segments.map((segment) => segment.text).join('') };
  } finally {
    await engine.close();
  }
}
