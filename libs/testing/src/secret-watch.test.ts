import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { secretsIn } from './secret-watch.ts';

const KEY = `ag_${'0a'.repeat(16)}_${'Zz9'.repeat(12)}Zz`;

test.each([
  [`{"authorization":"Bearer ${KEY}"}`, 'an API key'],
  ['signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', "a webhook's secret"],
  ['could not answer "[[words 3]] please"', 'a prompt'],
  ['{"text":"echo(1): hello"}', 'an answer'],
  ['heard: kilo lima  MIKE oscar golf kilo', 'a transcript'],
  ['heard: … what you can do for your country.', 'a transcript'],
])('finds what a secret looks like: %s', (text, what) => {
  expect(secretsIn(text)).toEqual([expect.stringMatching(new RegExp(`^${what} after "`))]);
});

test.each([
  `key ag_${'0a'.repeat(16)} (its id alone)`,
  'job_0a0a of kilo, lima',
  'whsec_…',
  'The test engine was told to fail.',
])('lets pass: %s', (text) => {
  expect(secretsIn(text)).toEqual([]);
});

test('a file of tests that leaks fails at its end, though its tests pass, and says where', async () => {
  const root = join(import.meta.dirname, '..', 'test', 'leaky');
  const { exitCode, all } = await execa('vitest', ['run', '--root', root], {
    preferLocal: true,
    localDir: import.meta.dirname,
    env: { NO_COLOR: '1' },
    reject: false,
    all: true,
  });
  expect(exitCode, all).toBe(1);
  expect(all).toMatch(/Test Files +3 failed \(3\)\n +Tests +4 passed \(4\)/);
  const seen = all.matchAll(/^(?!Error)(\S.*): (an? \w+) after/gm);
  expect([...seen].map(([, where, what]) => `${what} in ${where}`).toSorted()).toEqual([
    'a prompt in Redis',
    'a prompt in log of ../libs/testing/test/leaky/app',
    'a prompt in log of what runs within a test',
    'a prompt in metrics of ../libs/testing/test/leaky/app',
  ]);
});
