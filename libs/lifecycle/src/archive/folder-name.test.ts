import { expect, test } from 'vitest';
import { folderNameOf } from './folder-name.ts';

test.each([
  ['ann-1_b', 'ann-1_b'],
  ['Ann', '%41nn'],
  ['..', '%2e%2e'],
  ['a/../b', 'a%2f%2e%2e%2fb'],
  ['ü', '%c3%bc'],
  ['', '%'],
])('%j has the folder %j', (username, folder) => {
  expect(folderNameOf(username)).toBe(folder);
});

test('names that differ only at their far end, or in their case, have folders of their own', () => {
  const names = ['a'.repeat(500), `${'a'.repeat(499)}b`, 'Ä'.repeat(99), 'a', 'A'];
  const folders = names.map((name) => folderNameOf(name).toLowerCase());
  expect(new Set(folders).size).toBe(names.length);
  expect(Math.max(...folders.map(({ length }) => length))).toBeLessThanOrEqual(120);
});
