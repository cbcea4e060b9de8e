/**
 * What can go wrong, named once. A code decides the HTTP status (gateway) and, with `retryable`, what the queue does next.
 * Tables over `ErrorCode` are typed as `Record<ErrorCode, …>`, so a new code that one of them forgot does not compile.
 */
export const ERROR_CODES = [
  'VALIDATION_FAILED',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'HEADERS_TOO_LARGE',
  'REQUEST_TIMEOUT',
  'AUDIO_EMPTY',
  'AUDIO_NOT_RECOGNISED',
  'AUDIO_TOO_LONG',
  'AUDIO_TOO_LARGE',
  'AUDIO_NOT_AVAILABLE',
  'UPLOAD_INTERRUPTED',
  'MODEL_NOT_FOUND',
  'VOICE_NOT_FOUND',
  'CONVERSATION_NOT_FOUND',
  'ITEM_NOT_FOUND',
  'JOB_NOT_FOUND',
  'FILE_NOT_FOUND',
  'UPLOAD_NOT_FOUND',
  'UPLOAD_NOT_PENDING',
  'BATCH_NOT_FOUND',
  'ROUTE_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'API_KEY_MISSING',
  'API_KEY_INVALID',
  'API_KEY_MISTYPED',
  'API_KEY_REVOKED',
  'API_KEY_EXPIRED',
  'API_KEY_NOT_FOUND',
  'ACCOUNT_DISABLED',
  'ACCESS_DENIED',
  'INSUFFICIENT_SCOPE',
  'ACCOUNT_NOT_FOUND',
  'ACCOUNT_EXISTS',
  'WEBHOOK_ENDPOINT_NOT_FOUND',
  'WEBHOOK_ENDPOINT_NOT_ACTIVE',
  'WEBHOOK_DELIVERY_NOT_FOUND',
  'RESULT_NOT_READY',
  'RESULT_NOT_AVAILABLE',
  'RESULT_NOT_ACCEPTABLE',
  'JOB_NOT_DELETABLE',
  'JOB_NOT_CANCELLABLE',
  'JOB_NOT_RETRYABLE',
  'JOB_CANCELLED',
  'JOB_EXPIRED',
  'IDEMPOTENCY_KEY_REUSED',
  'ASR_ENGINE_FAILED',
  'ASR_ENGINE_REJECTED',
  'LLM_ENGINE_FAILED',
  'LLM_ENGINE_REJECTED',
  'LLM_CONTEXT_EXCEEDED',
  'TTS_ENGINE_FAILED',
  'TTS_ENGINE_REJECTED',
  'MEDIA_TOOL_FAILED',
  'ENGINE_CRASHED',
  'BATCH_FAILED',
  'EXPORT_FAILED',
  'ARCHIVE_INVALID',
  'IMPORT_CONFLICT',
  'ERASURE_INCOMPLETE',
  'RATE_LIMITED',
  'TOO_MANY_JOBS',
  'QUOTA_EXCEEDED',
  'BACKLOG_FULL',
  'SERVICE_UNAVAILABLE',
  'CONFIG_INVALID',
  'INTERNAL',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** One thing that is wrong in a request: where (a field path such as `messages.0.content`) and what would be right. */
export interface ErrorIssue {
  path: string;
  message: string;
}

export interface ErrorOptions {
  code: ErrorCode;
  /** Each wrong field, where there are several. */
  issues?: ErrorIssue[];
  /** The one field at fault; OpenAI's `param`. */
  param?: string;
  /** May the same call succeed later? Decided where the cause is known; false unless said. */
  retryable?: boolean;
  /** When the same call is worth another try, at most 60 s from now; where that is known. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** The root of every error that AIGolos raises on purpose. Its message is written for the caller and holds no secret. */
export class AIGolosError extends Error {
  readonly code: ErrorCode;
  readonly issues: ErrorIssue[];
  readonly param: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: ErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.issues = options.issues ?? [];
    this.param = options.param;
    this.retryable = options.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** The request cannot be served as it was sent; the same request will never succeed. */
export class ValidationError extends AIGolosError {
  constructor(message: string, options: Omit<ErrorOptions, 'code' | 'retryable'> & { code?: ErrorCode } = {}) {
    super(message, { code: 'VALIDATION_FAILED', ...options });
  }
}

/** Nobody is known by this key, or the one who is may not do this. */
export class AuthError extends AIGolosError {}

/** It does not exist, or it belongs to another account: the caller cannot tell which. */
export class NotFoundError extends AIGolosError {}

/** It exists, but not in a state that allows this. */
export class ConflictError extends AIGolosError {}

/** Speech recognition failed. */
export class AsrServiceError extends AIGolosError {}

/** Text generation failed. */
export class LlmServiceError extends AIGolosError {}

/** Speech synthesis failed. */
export class TtsServiceError extends AIGolosError {}

/** A job ended without a result: cancelled, expired, or its worker died too often. */
export class JobError extends AIGolosError {}

/** The caller, or all callers together, have asked for more than is taken now. */
export class LimitError extends AIGolosError {}

/** A part that this call needs (database, queue, worker) does not answer; try again later. */
export class UnavailableError extends AIGolosError {
  constructor(message: string, options: Omit<ErrorOptions, 'code' | 'retryable'> = {}) {
    super(message, { ...options, code: 'SERVICE_UNAVAILABLE', retryable: true });
  }
}

/** What of an error is kept in a job and shown to its owner. */
export interface JobFailure {
  code: ErrorCode;
  message: string;
  param?: string | undefined;
}

/**
 * Turns anything thrown into what a job's owner may see. An error that nobody coded is reported as INTERNAL with a
 * generic text, because its message can hold paths, addresses or content.
 */
export function toJobFailure(error: unknown): JobFailure {
  if (error instanceof AIGolosError) {
    return { code: error.code, message: error.message, ...(error.param === undefined ? {} : { param: error.param }) };
  }
  return { code: 'INTERNAL', message: 'An internal error ended this job.' };
}

/** May a later attempt succeed? Errors without a code are taken as transient: a crash of ours deserves another try. */
export function isRetryable(error: unknown): boolean {
  return error instanceof AIGolosError ? error.retryable : true;
}
