import type { JobView } from '@aigolos/contracts';
import type { EndedJob } from './ended-job.ts';
import type { EventsOptions, JobEvent } from './events.ts';
import type { JobDeleted, Jobs } from './jobs.ts';
import type { AnyResultOptions, FormOptions, ResultKind } from './results.ts';
import type { CallOptions } from './transport.ts';

/** A job that was submitted, whose result can be had in other `Forms` too where it has any. */
export interface JobHandle<Result, Forms extends object = object> {
  readonly id: string;
  /** As it was when it was accepted. */
  readonly submitted: JobView;
  /** The job as it is now. */
  get(options?: CallOptions): Promise<JobView>;
  /** The job once it has ended, however it did. */
  wait(options?: CallOptions): Promise<EndedJob>;
  /** What happens to it, until it has ended. Ends with the event of its end. */
  events(options?: EventsOptions): AsyncGenerator<JobEvent, void>;
  /** Awaits the end, then what came of it. @throws ApiError with what it ended with, where it has no result. */
  result(options?: CallOptions): Promise<Result>;
  /** The same in another form, such as its subtitles; again and again, as long as the job is kept. */
  result<Form extends keyof Forms>(options: FormOptions<Form>): Promise<Forms[Form]>;
  /** Harmless after its end. A job that runs stops a moment later: `wait` tells when. */
  cancel(options?: CallOptions): Promise<JobView>;
  /** Erases the job, once it has ended, and its files. */
  delete(options?: CallOptions): Promise<JobDeleted>;
}

/** A handle of a job of this kind, whose result it is that `Result` and `Forms` tell of. */
export function createJobHandle<Result, Forms extends object>(
  jobs: Jobs,
  kind: ResultKind,
  submitted: JobView,
): JobHandle<Result, Forms> {
  const { id } = submitted;
  const read: (kind: ResultKind, id: string, options: AnyResultOptions) => Promise<unknown> = jobs.result;
  const result = async (options: AnyResultOptions = {}) => {
    await jobs.wait(id, options);
    return read(kind, id, options);
  };
  return {
    id,
    submitted,
    get: (options) => jobs.get(id, options),
    wait: (options) => jobs.wait(id, options),
    events: (options) => jobs.events(id, options),
    result: result as JobHandle<Result, Forms>['result'],
    cancel: (options) => jobs.cancel(id, options),
    delete: (options) => jobs.delete(id, options),
  };
}
