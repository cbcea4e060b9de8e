import { createTestAsrEngine } from '../src/asr/test-asr-engine.ts';

const never = new AbortController().signal;
await createTestAsrEngine().transcribe(new Float32Array(16_000), { prompt: '[[crash]]', wordTimestamps: false }, never);
