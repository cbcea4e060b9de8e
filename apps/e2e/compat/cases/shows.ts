import { expect } from 'vitest';
import type { Answer, Case } from '../case.ts';

/** The JSON body. */
export function jsonOf({ json }: Answer): unknown {
  expect(json).toBeDefined();
  return json;
}

/** What is on a page of a list. */
export function dataOf(answer: Answer): unknown[] {
  const { data } = jsonOf(answer) as { data: unknown[] };
  expect(Array.isArray(data)).toBe(true);
  return data;
}

/** Of routes that read: of what OpenAI adds to items on request there is nothing here. */
export const include: Case[] = [
  {
    parameter: 'include',
    support: 'ignored',
    note: 'no item here has any of it',
    send: { include: ['message.output_text.logprobs'] },
  },
  { parameter: 'include', value: "none of OpenAI's", support: 'refused', send: { include: ['everything'] } },
];

/** What is on the pages of a list of "one" and "two", which it tells in this order unless asked otherwise. */
export function paging(order: 'asc' | 'desc', listed: (...said: string[]) => object[]): Case[] {
  const [first, second] = order === 'asc' ? (['one', 'two'] as const) : (['two', 'one'] as const);
  const page = (parameter: string, value: unknown, said: string[]): Case => ({
    parameter,
    support: 'supported',
    send: { [parameter]: value },
    shows: (answer) => expect(dataOf(answer)).toMatchObject(listed(...said)),
  });
  return [
    page('after', 'the first', [second]),
    page('limit', 1, [first]),
    page('order', order === 'asc' ? 'desc' : 'asc', [second, first]),
  ];
}

/** A transcript as subtitles, known by how they begin. */
const subtitle = (value: string, type: string, begins: RegExp): Case => ({
  parameter: 'response_format',
  value,
  support: 'supported',
  send: { response_format: value },
  shows: ({ headers, text }) => {
    expect(headers.get('content-type')).toContain(type);
    expect(text).toMatch(begins);
  },
});

export const subtitles: Case[] = [
  subtitle('srt', 'application/x-subrip', /^1\n00:00:0\d,\d{3} --> /),
  subtitle('vtt', 'text/vtt', /^WEBVTT\n\n/),
];

/** Engines of tests warn about each of these options that they are handed. */
export function reachesEngine(option: string): (answer: Answer) => void {
  return ({ headers }) => expect(headers.get('x-warnings')).toContain(`The test engine ignores ${option}.`);
}

/** The length of a WAV file of 16-bit mono samples, by its header. */
export function wavSeconds({ text }: Answer): number {
  const bytes = Buffer.from(text, 'latin1');
  expect(bytes.toString('latin1', 0, 4)).toBe('RIFF');
  const bytesPerSecond = bytes.readUInt32LE(28);
  return (bytes.length - 44) / bytesPerSecond;
}
