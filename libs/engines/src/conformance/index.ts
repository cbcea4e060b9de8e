export * from './asr-engine.ts';
export * from './llm-engine.ts';
export * from './tts-engine.ts';
