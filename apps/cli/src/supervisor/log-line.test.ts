import { describe, expect, it } from 'vitest';
import { formatFileLine, parseLine } from './log-line.ts';

describe('parseLine', () => {
  it("shortens an app's JSON line to what it says", () => {
    const json = JSON.stringify({ level: 'warn', time: 'x', service: 'gateway', msg: 'slow', jobId: 'trn_1', ms: 12 });
    expect(parseLine('gateway', json, 'info')).toMatchObject({ level: 'warn', text: 'slow jobId=trn_1 ms=12' });
  });

  it('shows the stack of an error', () => {
    const json = JSON.stringify({
      level: 'error',
      msg: 'broke',
      err: { message: 'boom', stack: 'Error: boom\n    at x' },
    });
    expect(parseLine('gateway', json, 'info').text).toBe('broke Error: boom\n    at x');
  });

  it.each(['plain words', '{ not json', '{"level":"odd"}'])('leaves %j as it stands', (line) => {
    expect(parseLine('redis', line, 'info')).toMatchObject({ level: 'info', text: line });
  });

  it('stands in the file with date, process and level', () => {
    const line = { ...parseLine('redis', 'ready', 'info'), time: new Date(0) };
    expect(formatFileLine(line)).toBe('1970-01-01T00:00:00.000Z redis              info  ready');
  });
});
