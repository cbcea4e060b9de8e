export * from './silero-vad.ts';
export * from './voice-activity-detector.ts';
