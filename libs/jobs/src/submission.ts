import type { JobKind, JobPriority, RetentionWish, TaskOf } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';

export interface Submission<Kind extends JobKind> {
  kind: Kind;
  /** Given where blobs were stored under it already. */
  id?: string;
  account: string;
  /** Id of the key that it was sent with. */
  apiKey?: string | undefined;
  /** The conversation of a turn may be `new`: then one is begun with it. */
  task: TaskOf[Kind];
  metadata?: Record<string, string>;
  warnings?: string[];
  /** What the request asks for; the rest is the account's and the installation's to say. */
  retention?: RetentionWish | undefined;
  /** Where the request wants its end to be told, beside the account's endpoints. */
  webhookUrl?: string | undefined;
  priority?: JobPriority | undefined;
  /** It expires if it has not begun, or not ended, in this time. */
  startWithinSeconds?: number | undefined;
  finishWithinSeconds?: number | undefined;
  /** The same again is the same job. */
  once?: SubmittedOnce | undefined;
  content?: SubmittedContent | undefined;
  /** Id of the batch whose line it is: its end is not told to anybody else, and it is erased with the batch. */
  batch?: string | undefined;
}

/** The client's own name of a request, and what the request was. */
export interface SubmittedOnce {
  key: string;
  fingerprint: string;
}

/** What a result depends on, as a key; and whether an earlier result of the same account may serve. */
export interface SubmittedContent {
  key: string;
  mayReuse: boolean;
}

export interface Submitted<Kind extends JobKind = JobKind> {
  job: JobRecord<Kind>;
  /** It is the job of an earlier request under the same key; of this one nothing is left. */
  replayed: boolean;
}
