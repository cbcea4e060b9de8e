export * from './audio.ts';
export * from './mongo.ts';
export * from './process.ts';
export * from './redis.ts';
export * from './wait-until.ts';
