export * from './audio.ts';
export * from './child-processes.ts';
export { testConfig } from './config.ts';
export * from './mongo.ts';
export * from './prepared.ts';
export * from './process.ts';
export * from './redis.ts';
export * from './s3.ts';
export * from './wait-until.ts';
