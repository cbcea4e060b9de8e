export * from './asr-engine.ts';
export * from './faster-whisper-engine.ts';
export * from './openai-compatible-asr-engine.ts';
export * from './test-asr-engine.ts';
export * from './word-error-rate.ts';
