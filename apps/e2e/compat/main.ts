/** `npm run fuzz:api -- --examples 200 --seconds 600`: makes many more requests from the API description than the tests do. */
import { parseArgs } from 'node:util';
import { startStack } from '../test/stack.ts';
import { fuzzApi } from './fuzz.ts';

const { values } = parseArgs({
  options: { examples: { type: 'string', default: '100' }, seconds: { type: 'string', default: '600' } },
});
const stack = await startStack({ engines: 'test', env: { CONCURRENCY: '8' } });
try {
  const found = await fuzzApi(stack, { examples: Number(values.examples), seconds: Number(values.seconds) });
  process.stdout.write(`${found ?? 'Nothing was found.'}\n`);
  process.exitCode = found === undefined ? 0 : 1;
} finally {
  await stack.stop();
}
