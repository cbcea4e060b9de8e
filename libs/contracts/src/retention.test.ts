import { describe, expect, test } from 'vitest';
import { DEFAULT_RETENTION, RETENTION_PARTS, RetentionWishSchema, resolveRetention } from './index.ts';

const DAY = 24 * 60 * 60;
const read = (given: unknown) => RetentionWishSchema.parse(given);
const complaints = (given: unknown) => RetentionWishSchema.safeParse(given).error?.issues.map(({ message }) => message);

describe('a wish for retention', () => {
  test.each([
    [
      'input=0, result=30d, output=12h, conversation=never',
      { input: 0, result: 30 * DAY, output: DAY / 2, conversation: null },
    ],
    [' output = 90 ,result=5M,', { output: 90, result: 300 }],
    [
      { input: 0, result: '2d', conversation: null },
      { input: 0, result: 2 * DAY, conversation: null },
    ],
    ['', {}],
    [{}, {}],
  ])('%j is read', (given, wish) => expect(read(given)).toEqual(wish));

  test.each([
    ['inputs=0', 'no part "inputs"; its parts are input, result, output, conversation'],
    ['input=3w', 'input must be a whole number with s, m, h or d such as 30d, or never, not "3w"'],
    ['input', 'input must be a whole number'],
    ['input=1.5d', 'not "1.5d"'],
    ['input=-1', 'not "-1"'],
    ['input=0, input=1', 'input is named twice'],
    ['result=0', 'result must be 60s to 3650d, or never, not 0s'],
    ['conversation=59', 'conversation must be 60s to 3650d'],
    ['output=3651d', 'output must be 0s to 3650d, or never, not 3651d'],
    [{ input: 0.5 }, 'input must be a whole number'],
    [{ input: true }, 'retention must be a text such as'],
    [7, 'retention must be a text such as'],
  ])('%j is refused with what would be right', (given, why) => {
    expect(complaints(given)?.join()).toContain(why);
  });

  test('with several faults tells them all', () => {
    expect(complaints('input=x, result=0, foo=1')).toHaveLength(3);
  });
});

describe('the lifetimes of a job', () => {
  const offer = { defaults: DEFAULT_RETENTION, maxSeconds: 90 * DAY };

  test.each(RETENTION_PARTS)('%s: request over account over installation', (part) => {
    expect(resolveRetention(offer, {})[part]).toBe(DEFAULT_RETENTION[part]);
    expect(resolveRetention(offer, { account: { [part]: 3_600 } })[part]).toBe(3_600);
    expect(resolveRetention(offer, { account: { [part]: 3_600 }, request: { [part]: 60 } })[part]).toBe(60);
    expect(resolveRetention(offer, { account: { [part]: null } })[part]).toBeNull();
    expect(resolveRetention(offer, { account: { [part]: 3_600 }, request: { [part]: null } })[part]).toBeNull();
    const others = Object.entries(resolveRetention(offer, { request: { [part]: 60 } })).filter(
      ([name]) => name !== part,
    );
    expect(Object.fromEntries(others)).toEqual(
      Object.fromEntries(Object.entries(DEFAULT_RETENTION).filter(([name]) => name !== part)),
    );
  });

  test('are not longer than the installation grants: a request is told, an account is cut', () => {
    expect(() => resolveRetention(offer, { request: { result: 91 * DAY } })).toThrow(
      'result must be 60s to 90d, or never, not 91d',
    );
    expect(resolveRetention(offer, { account: { result: 91 * DAY } }).result).toBe(90 * DAY);
    expect(resolveRetention({ ...offer, maxSeconds: 30 * DAY }, {}).input).toBe(30 * DAY);
  });
});
