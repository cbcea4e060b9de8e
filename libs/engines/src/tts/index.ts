export * from './espeak-engine.ts';
export * from './openai-compatible-tts-engine.ts';
export * from './piper-engine.ts';
export { type SplitOptions, splitSentences } from './split-sentences.ts';
export * from './test-tts-engine.ts';
export * from './tts-engine.ts';
