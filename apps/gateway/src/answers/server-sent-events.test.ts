import { expect, test } from 'vitest';
import { withHeartbeat } from './server-sent-events.ts';

test('a stream that begins with silence is open at once, and then is silent for as long as it may be', async () => {
  const silence = Promise.withResolvers<void>();
  async function* events() {
    await silence.promise;
    yield 'data: 1\n\n';
    yield 'data: 2\n\n';
  }
  const told = withHeartbeat(events(), 3_600_000);
  expect(await told.next()).toEqual({ done: false, value: ': still here\n\n' });
  silence.resolve();
  expect(await Array.fromAsync(told)).toEqual(['data: 1\n\n', 'data: 2\n\n']);
});
