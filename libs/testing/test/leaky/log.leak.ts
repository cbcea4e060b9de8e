import { testLog } from '@aigolos/testing';
import { expect, test } from 'vitest';

test('says in its log what it was asked', () => {
  testLog.info({ messages: ['[[words 3]]'] }, 'asked');
  expect(testLog.level).toBe('trace');
});
