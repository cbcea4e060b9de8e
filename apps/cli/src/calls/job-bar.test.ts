import type { JobView } from '@aigolos/contracts';
import { describe, expect, it } from 'vitest';
import { toldBy } from './job-bar.ts';

const job = (fields: Partial<JobView>) => ({ progress: 0, queue_position: null, step: null, ...fields }) as JobView;

describe('the bar of a job', () => {
  it('names the step that a voice turn is at, and how far it is with all of them', () => {
    const progress = {
      type: 'job.progress',
      id: 'vtn_1',
      status: 'in_progress',
      step: 'answer',
      progress: 0.4,
    } as const;
    expect(toldBy({ ...progress, eventId: '2' })).toEqual({ progress: 0.4, status: 'in_progress, answer' });
    const waiting = job({ status: 'queued', step: 'speak', progress: 2 / 3, queue_position: 3 });
    expect(toldBy({ type: 'job.queued', job: waiting, eventId: '3' })).toEqual({
      progress: 2 / 3,
      status: 'queued, speak, 3 before it',
    });
  });

  it('names the state alone of a job without steps, and is left as it is by a piece of a text', () => {
    const begun = job({ status: 'in_progress', progress: 0.1 });
    expect(toldBy({ type: 'job.started', job: begun, eventId: '1' })).toEqual({ progress: 0.1, status: 'in_progress' });
    expect(toldBy({ type: 'job.delta', id: 'cht_1', offset: 0, delta: 'Hi', eventId: '2' })).toBeUndefined();
  });
});
