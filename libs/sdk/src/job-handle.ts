import type { JobView } from '@aigolos/contracts';
import type { EndedJob } from './ended-job.ts';
import type { JobEvent } from './events.ts';
import type { JobDeleted, Jobs } from './jobs.ts';
import type { CallOptions } from './transport.ts';

/** A job that was submitted. */
export interface JobHandle<Result> {
  readonly id: string;
  /** As it was when it was accepted. */
  readonly submitted: JobView;
  get(options?: CallOptions): Promise<JobView>;
  /** The job once it has ended, however it did. */
  wait(options?: CallOptions): Promise<EndedJob>;
  events(options?: CallOptions): AsyncGenerator<JobEvent, void>;
  /** Awaits the end, then what came of it. @throws ApiError with what it ended with, where it has no result. */
  result(options?: CallOptions): Promise<Result>;
  cancel(options?: CallOptions): Promise<JobView>;
  delete(options?: CallOptions): Promise<JobDeleted>;
}

export function createJobHandle<Result>(
  jobs: Jobs,
  submitted: JobView,
  read: (id: string, signal?: AbortSignal) => Promise<Result>,
): JobHandle<Result> {
  const { id } = submitted;
  return {
    id,
    submitted,
    get: (options) => jobs.get(id, options),
    wait: (options) => jobs.wait(id, options),
    events: (options) => jobs.events(id, options),
    async result(options = {}) {
      await jobs.wait(id, options);
      return read(id, options.signal);
    },
    cancel: (options) => jobs.cancel(id, options),
    delete: (options) => jobs.delete(id, options),
  };
}
