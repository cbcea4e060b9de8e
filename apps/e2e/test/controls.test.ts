import { describe, expect, test } from 'vitest';
import { replaced } from '../drill/controls/replace-source.ts';
import { CONTROLS, REPLACEMENTS } from '../drill/controls/replacements.ts';

describe.each(CONTROLS)('%s', (control) => {
  const ofFiles = [...Map.groupBy(REPLACEMENTS[control], ({ file }) => file)];
  test.each(ofFiles)('finds in %s, once, what it leaves out', (file, replacements) => {
    expect(replaced(file, replacements)).not.toBe(replaced(file, []));
  });
});

test('a text that is not there is an error, so that no control becomes harmless', () => {
  const [one] = REPLACEMENTS['no-reconciler'];
  expect(() => replaced(one?.file ?? '', [{ file: '', from: 'not there', to: '' }])).toThrow('0 times');
});
