export * from './asr-engine.ts';
export * from './llm-engine.ts';
export { eventLoopDelayP99Ms } from './process-watch.ts';
export * from './tts-engine.ts';
