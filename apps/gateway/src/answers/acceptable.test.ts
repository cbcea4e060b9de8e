import { expect, test } from 'vitest';
import { preferredType } from './acceptable.ts';

const OFFERED = ['audio/mpeg', 'application/octet-stream', 'text/vtt', 'application/json'] as const;

test.each([
  [undefined, 'audio/mpeg'],
  ['', 'audio/mpeg'],
  ['*/*', 'audio/mpeg'],
  ['application/octet-stream', 'application/octet-stream'],
  ['application/json', 'application/json'],
  ['TEXT/VTT; charset=utf-8', 'text/vtt'],
  // What libraries and browsers send that have no wish.
  ['application/json, text/plain, */*', 'audio/mpeg'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'audio/mpeg'],
  ['application/json, */*;q=0.1', 'application/json'],
  ['text/vtt;q=0.5, application/json;q=0.4', 'text/vtt'],
  ['audio/*;q=0.1, text/vtt', 'text/vtt'],
  ['audio/mpeg;q=0, */*', 'application/octet-stream'],
  ['audio/*', 'audio/mpeg'],
  ['audio/wav', undefined],
  ['*/*;q=0', undefined],
  ['nonsense', undefined],
])('%j', (accept, expected) => {
  expect(preferredType(accept, OFFERED)).toBe(expected);
});
