import { defineConfig } from 'vitest/config';
import base from '../../vitest.base.ts';

/** Real models keep both cores busy and look at the clock: one after another, each in a process of its own. */
const REAL = [
  'src/asr/faster-whisper-engine.test.ts',
  'src/llm/node-llama-cpp-engine.test.ts',
  'src/tts/piper-engine.test.ts',
  'src/vad/silero-vad.test.ts',
];

/** What mostly waits runs two at a time, first. */
export default defineConfig({
  test: {
    projects: [
      { test: { ...base.test, name: 'waiting', exclude: REAL, maxWorkers: 2, sequence: { groupOrder: 0 } } },
      {
        test: {
          ...base.test,
          name: 'real models',
          include: REAL,
          isolate: true,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
