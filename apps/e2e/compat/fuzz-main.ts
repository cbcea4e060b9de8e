import { fuzzApi } from './fuzz.ts';
import { startStack } from '../test/stack.ts';
const stack = await startStack({ engines: 'test', env: { CONCURRENCY: '8' } });
const { output } = await fuzzApi({ stack, examples: 5, seconds: 60 });
console.log(output);
await stack.stop();
