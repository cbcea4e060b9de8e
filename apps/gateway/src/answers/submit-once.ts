import type { JobKind, RetentionWish } from '@aigolos/contracts';
import { fingerprintOf, type Jobs, type Submission, type Submitted } from '@aigolos/jobs';
import { checkedMetadata } from './metadata-headers.ts';
import type { SubmissionOptions } from './submission-options.ts';

/** A request that makes work: what it asks for in its body, and what beside it. */
export interface WorkRequest<Kind extends JobKind> {
  kind: Kind;
  account: string;
  body: object;
  /** What the body says of that which headers may say too, and stands above them. */
  said?: {
    retention?: RetentionWish | null | undefined;
    metadata?: Record<string, string> | null | undefined;
  };
  /** SHA-256 of the audio that came with it. */
  audio?: string;
  options: SubmissionOptions;
}

/** What a request is resolved to. */
export type Prepared<Kind extends JobKind> = Pick<Submission<Kind>, 'task' | 'warnings' | 'id' | 'content'>;

/** These say how the answer is given, not what is done: a repeated request may want it otherwise. */
const FORM_OF_ANSWER = new Set(['stream', 'stream_options', 'stream_format']);

/**
 * Submits what a request asks for, once for its Idempotency-Key: a repeated one is the same job, for which nothing is looked
 * up or prepared again. What is compared is the request as it came. Deadlines are not: who tries again counts them from
 * another moment.
 * @throws ValidationError where the key stands for another request; and what `prepare` throws.
 */
export async function submitOnce<Kind extends JobKind>(
  jobs: Pick<Jobs, 'submit' | 'findSubmitted'>,
  { kind, account, body, said = {}, audio, options }: WorkRequest<Kind>,
  prepare: () => Promise<Prepared<Kind>>,
): Promise<Submitted<Kind>> {
  const { apiKey, terms, idempotencyKey } = options;
  const retention = { ...terms.retention, ...said.retention };
  const metadata = checkedMetadata({ ...terms.metadata, ...said.metadata }, () => 'metadata');
  const { webhookUrl, priority } = terms;
  const asked = Object.entries(body).filter(([name]) => !FORM_OF_ANSWER.has(name) && !(name in said));
  const fingerprint = fingerprintOf({
    kind,
    body: Object.fromEntries(asked),
    ...(audio !== undefined && { audio }),
    terms: { retention, metadata, webhookUrl, priority },
  });
  const once = idempotencyKey === undefined ? undefined : { key: idempotencyKey, fingerprint };
  const earlier = once && (await jobs.findSubmitted(account, once));
  // The fingerprint has the kind in it.
  if (earlier) return { job: earlier, replayed: true } as Submitted<Kind>;
  return jobs.submit({ kind, account, apiKey, ...terms, retention, metadata, once, ...(await prepare()) });
}
