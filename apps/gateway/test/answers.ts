import type { JobView } from '@aigolos/contracts';
import type { JobContext, Processed } from '@aigolos/jobs';
import { waitUntil } from '@aigolos/testing';
import type { House } from './harness.ts';

export const CHAT = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] };

/** A finished answer of a chat, or of a response. */
export function said(text: string, fields: Partial<Processed<'chat'>> = {}): Processed<'chat'> & Processed<'response'> {
  return {
    result: { text, finishReason: 'stop' },
    usage: { promptTokens: 3, completionTokens: 2 },
    warnings: [],
    ...fields,
  };
}

/** A processor that runs until the test lets it finish. */
export function heldBack(text = 'done') {
  const started = Promise.withResolvers<string>();
  const letGo = Promise.withResolvers<void>();
  const process = async ({ job, signal }: JobContext<'chat'>) => {
    started.resolve(job._id);
    signal.addEventListener('abort', () => letGo.reject(signal.reason as Error));
    await letGo.promise;
    return said(text);
  };
  return { process, started: started.promise, letGo: () => letGo.resolve() };
}

export async function jobOf(house: House, id: string): Promise<JobView> {
  return (await (await house.call(`/v1/jobs/${id}`)).json()) as JobView;
}

/** The job once it has ended. */
export function ended(house: House, id: string): Promise<JobView> {
  return waitUntil(`job ${id} has ended`, async () => {
    const job = await jobOf(house, id);
    return job.finished_at !== null && job;
  });
}
