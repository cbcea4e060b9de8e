import type { JobPriority, JobView } from '@aigolos/contracts';
import type { Call, CallOptions, Transport } from './transport.ts';
import { asJson } from './transport.ts';
import { type FormUpload, formBody, randomHex } from './upload.ts';

/** What may be said of any job beside its content. */
export interface SubmitOptions extends CallOptions {
  /** Your own name of the request; sent again under it, it is one job. One is made where absent. */
  idempotencyKey?: string | undefined;
  priority?: JobPriority | undefined;
  /** The job expires unless it has begun so many seconds from now. */
  startWithinSeconds?: number | undefined;
  /** The job expires unless it has ended so many seconds from now. */
  finishWithinSeconds?: number | undefined;
  /** Up to 16 pairs that stay with the job; keys are lower case. */
  metadata?: Record<string, string> | undefined;
  /** Is called when the job has ended. */
  webhookUrl?: string | undefined;
  /** How long what is kept, such as `input=0, result=30d`. */
  retention?: string | undefined;
}

/** Submits a job whose content is JSON; returns it as it was accepted. */
export async function submitJson(
  transport: Transport,
  path: string,
  content: object,
  options: SubmitOptions,
): Promise<JobView> {
  const call = { ...jsonCall(path, content, options), signal: options.signal };
  return transport.send({ ...call, headers: { ...call.headers, prefer: 'respond-async' } }, asJson<JobView>);
}

/** A call that makes work: sent again, it is the same job, because every try has the same key. */
export function jsonCall(path: string, content: object, options: SubmitOptions) {
  const body = JSON.stringify(content);
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', ...submissionHeaders(options) },
    body: async () => ({ body }),
    isRepeatable: () => true,
  } satisfies Call;
}

/** Submits a job whose content is a file; returns it as it was accepted. */
export async function submitForm(
  transport: Transport,
  path: string,
  upload: FormUpload,
  options: SubmitOptions,
): Promise<JobView> {
  const form = formBody(upload);
  const call: Call = {
    method: 'POST',
    path,
    headers: { 'content-type': form.contentType, prefer: 'respond-async', ...submissionHeaders(options) },
    body: form.create,
    isRepeatable: form.isRepeatable,
    failure: form.failure,
    // A file takes as long as it takes.
    timeoutMs: null,
    signal: options.signal,
  };
  const job = await transport.send(call, asJson<JobView>);
  form.sent();
  return job;
}

function submissionHeaders(options: SubmitOptions): Record<string, string> {
  const { idempotencyKey = randomHex(16), priority, startWithinSeconds, finishWithinSeconds } = options;
  const { metadata = {}, webhookUrl, retention } = options;
  return {
    'idempotency-key': idempotencyKey,
    ...(priority !== undefined && { 'x-priority': priority }),
    ...(startWithinSeconds !== undefined && { 'x-start-by': String(startWithinSeconds) }),
    ...(finishWithinSeconds !== undefined && { 'x-finish-by': String(finishWithinSeconds) }),
    ...(webhookUrl !== undefined && { 'x-webhook-url': webhookUrl }),
    ...(retention !== undefined && { 'x-retention': retention }),
    ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`x-metadata-${key}`, asBytes(value)])),
  };
}

/** As UTF-8, a character a byte: `fetch` takes no others in headers. */
function asBytes(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
