import type { ErrorCode, ErrorIssue } from '@aigolos/contracts';

/** What an error of the service is known by: a code of ours, or one that only a later version has. */
export type ApiErrorCode = ErrorCode | (string & {});

/** What is known of an error of the service beside its message; `ApiError` has it all. */
export interface ApiErrorDetails {
  status: number;
  code: ApiErrorCode;
  param?: string | undefined;
  issues?: ErrorIssue[] | undefined;
  requestId?: string | undefined;
  retryAfterSeconds?: number | undefined;
  jobId?: string | undefined;
}

/** The service answered, and the answer is an error. Its message says what was wrong, where, and what would be right. */
export class ApiError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** What it is known by, such as `JOB_NOT_FOUND`. */
  readonly code: ApiErrorCode;
  /** The one field at fault. */
  readonly param: string | undefined;
  /** Each wrong field, where there are several. */
  readonly issues: ErrorIssue[];
  /** By this the operator finds the request in the logs. */
  readonly requestId: string | undefined;
  /** When the service wants to be asked again. */
  readonly retryAfterSeconds: number | undefined;
  /** Where there was a job already. */
  readonly jobId: string | undefined;

  constructor(message: string, details: ApiErrorDetails) {
    super(message);
    this.name = 'ApiError';
    this.status = details.status;
    this.code = details.code;
    this.param = details.param;
    this.issues = details.issues ?? [];
    this.requestId = details.requestId;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.jobId = details.jobId;
  }
}

/** There was no answer, or it broke off. What was asked for may have taken effect all the same. */
export class ConnectionError extends Error {
  /** Of a stream that broke off: its job goes on. */
  readonly jobId: string | undefined;

  constructor(message: string, { cause, jobId }: { cause?: unknown; jobId?: string | undefined } = {}) {
    super(message, { cause });
    this.name = 'ConnectionError';
    this.jobId = jobId;
  }
}
