import { AIGolosError } from '@aigolos/contracts';
import { expect, test } from 'vitest';
import { createLogger } from './index.ts';

/** What is written by these calls, as it is written. */
function written(log: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  log(createLogger({ service: 'test', level: 'debug' }, { write: (line) => void lines.push(line) }));
  return lines.join('');
}

const MARK = 'S3CRETMARK';
/** Texts that have a secret in them, and what of each is said all the same. */
const TEXTS: [text: string, rest: string][] = [
  [`the key ag_${'0a'.repeat(16)}_${MARK} is not known`, 'the key [redacted] is not known'],
  [`the key sk-aigolos-${MARK} is not known`, 'the key [redacted] is not known'],
  [`Incorrect API key provided: sk-proj-${MARK}_x-1.`, 'provided: [redacted]'],
  [`signed with whsec_${MARK}+/8=`, 'signed with [redacted]'],
  [`authorization: Bearer ${MARK}.abc`, 'Bearer [redacted]'],
  [`Authorization: basic ${MARK}==`, 'basic [redacted]'],
  [`connect mongodb://ada:${MARK}@db.example.org:27017/x`, 'mongodb://[redacted]@db.example.org:27017/x'],
  [`GET https://s3.example.org/b/k?X-Amz-Signature=${MARK}&x=1 failed`, 'https://s3.example.org/b/k?[redacted] failed'],
];

test.each(TEXTS)('a secret in a text is not logged, and the rest of it is: %s', (text, rest) => {
  const cause = new Error(`because: ${text}`, { cause: new AggregateError([new Error(text)], text) });
  for (const line of [
    written((log) => log.info(text)),
    written((log) => log.info({ a: { b: { c: { d: [text] } } } }, 'deep')),
    written((log) => log.warn({ err: new AIGolosError(text, { code: 'INTERNAL', cause }) }, 'failed')),
    written((log) => log.child({ text }).error('failed')),
  ]) {
    expect(line).not.toContain(MARK);
    expect(line).toContain(JSON.stringify(rest).slice(1, -1));
    JSON.parse(line);
  }
});

test.each(['authorization', 'cookie', 'apiKey', 'password', 'secret', 'token', 'key', 'secretAccessKey'])(
  'what a field named %s has is not logged',
  (name) => {
    const line = written((log) => log.info({ [name]: MARK, headers: { [name]: MARK }, a: { b: { [name]: MARK } } }));
    expect(line).not.toContain(MARK);
    expect(line.match(/\[redacted\]/g)).toHaveLength(3);
  },
);

test('an error is logged with its causes, and without what drivers hang on it', () => {
  const driver = Object.assign(new TypeError('OOM'), { code: 'EOOM', command: { name: 'xadd', args: [MARK] } });
  const err = new AggregateError([driver], 'two failed', { cause: driver });
  const line = written((log) => log.error({ err }, 'failed'));
  expect(line).not.toContain(MARK);
  const inner = { type: 'TypeError', code: 'EOOM', message: 'OOM', stack: expect.stringContaining('logger.test.ts') };
  expect(JSON.parse(line)).toMatchObject({
    level: 'error',
    service: 'test',
    msg: 'failed',
    err: { type: 'AggregateError', message: 'two failed', cause: inner, errors: [inner] },
  });
});

test('an error that is its own cause ends', () => {
  const err = new Error('round');
  err.cause = err;
  expect(JSON.parse(written((log) => log.error(err)))).toMatchObject({ msg: 'round' });
});

test.each(['VALIDATION_FAILED', 'LLM_ENGINE_REJECTED'] as const)('what %s quotes is not logged', (code) => {
  const err = new AIGolosError(`not valid: ${MARK}`, { code, cause: new Error(`400 ${MARK}`) });
  const line = written((log) => log.warn({ err: new Error('outer', { cause: err }) }, 'failed'));
  expect(line).not.toContain(MARK);
  expect(JSON.parse(line)).toMatchObject({ err: { message: 'outer', cause: { code } } });
});
