export * from './chunk-at-pauses.ts';
export * from './media.ts';
export * from './raw-pcm.ts';
