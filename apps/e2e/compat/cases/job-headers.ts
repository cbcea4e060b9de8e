import { JobViewSchema } from '@aigolos/contracts';
import { expect } from 'vitest';
import type { Answer, Case } from '../case.ts';
import { jsonOf } from './shows.ts';

const accepted = { Prefer: 'respond-async' };
const job = (answer: Answer) => JobViewSchema.parse(jsonOf(answer));

/** What every POST that makes work takes beside its body. */
export const jobHeaders: Case[] = [
  {
    parameter: 'Prefer',
    value: 'respond-async',
    support: 'supported',
    note: '202 at once, the job as body',
    headers: accepted,
    shows: (answer) => {
      expect(answer.status).toBe(202);
      expect(answer.headers.get('location')).toBe(`/v1/jobs/${job(answer).id}`);
    },
  },
  {
    parameter: 'Prefer',
    value: 'wait=30',
    support: 'supported',
    headers: { Prefer: 'wait=30' },
    shows: ({ status, headers }) => {
      expect(status).toBe(200);
      expect(headers.get('preference-applied')).toContain('wait=30');
    },
  },
  {
    parameter: 'X-Priority',
    support: 'supported',
    headers: { ...accepted, 'X-Priority': 'high' },
    shows: (answer) => expect(job(answer).priority).toBe('high'),
  },
  {
    parameter: 'X-Metadata-*',
    support: 'supported',
    headers: { ...accepted, 'X-Metadata-Order': '17' },
    shows: (answer) => expect(job(answer).metadata).toEqual({ order: '17' }),
  },
  {
    parameter: 'X-Start-By, X-Finish-By',
    support: 'supported',
    headers: { ...accepted, 'X-Start-By': '30', 'X-Finish-By': '600' },
    shows: (answer) => expect((job(answer).finish_by ?? 0) - (job(answer).start_by ?? 0)).toBe(570),
  },
  {
    parameter: 'X-Retention',
    support: 'supported',
    headers: { ...accepted, 'X-Retention': 'result=1h' },
    shows: (answer) => expect(job(answer).retention.result).toBe(3_600),
  },
];
