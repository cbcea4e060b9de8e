import type { ErrorCode } from '@aigolos/contracts';

interface ErrorEntry {
  status: number;
  /** OpenAI's `type`. */
  type:
    | 'invalid_request_error'
    | 'authentication_error'
    | 'permission_error'
    | 'not_found_error'
    | 'conflict_error'
    | 'requests'
    | 'insufficient_quota'
    | 'server_error';
  /** OpenAI's own word for it, where it has one; else our code in lower case. */
  openAICode?: string;
}

const badRequest = { status: 400, type: 'invalid_request_error' } as const;
const notFound = { status: 404, type: 'not_found_error' } as const;
const unknownCaller = { status: 401, type: 'authentication_error' } as const;
const denied = { status: 403, type: 'permission_error' } as const;
const conflict = { status: 409, type: 'conflict_error' } as const;
const gone = { status: 410, type: 'not_found_error' } as const;
const serverError = { status: 500, type: 'server_error' } as const;

/** What each error code means in HTTP. Total: a code that is missing here does not compile. */
export const ERROR_TABLE: Record<ErrorCode, ErrorEntry> = {
  VALIDATION_FAILED: badRequest,
  BODY_TOO_LARGE: { status: 413, type: 'invalid_request_error' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, type: 'invalid_request_error' },
  HEADERS_TOO_LARGE: { status: 431, type: 'invalid_request_error' },
  REQUEST_TIMEOUT: { status: 408, type: 'invalid_request_error' },
  AUDIO_EMPTY: badRequest,
  AUDIO_NOT_RECOGNISED: badRequest,
  AUDIO_TOO_LONG: badRequest,
  AUDIO_TOO_LARGE: { status: 413, type: 'invalid_request_error' },
  AUDIO_NOT_AVAILABLE: gone,
  UPLOAD_INTERRUPTED: badRequest,
  MODEL_NOT_FOUND: notFound,
  VOICE_NOT_FOUND: notFound,
  CONVERSATION_NOT_FOUND: notFound,
  ITEM_NOT_FOUND: notFound,
  JOB_NOT_FOUND: notFound,
  FILE_NOT_FOUND: notFound,
  UPLOAD_NOT_FOUND: notFound,
  UPLOAD_NOT_PENDING: badRequest,
  BATCH_NOT_FOUND: notFound,
  ACCOUNT_NOT_FOUND: notFound,
  ACCOUNT_EXISTS: conflict,
  API_KEY_NOT_FOUND: notFound,
  WEBHOOK_ENDPOINT_NOT_FOUND: notFound,
  WEBHOOK_ENDPOINT_NOT_ACTIVE: conflict,
  WEBHOOK_DELIVERY_NOT_FOUND: notFound,
  ROUTE_NOT_FOUND: { ...notFound, openAICode: 'unknown_url' },
  METHOD_NOT_ALLOWED: { status: 405, type: 'invalid_request_error' },
  API_KEY_MISSING: unknownCaller,
  API_KEY_INVALID: { ...unknownCaller, openAICode: 'invalid_api_key' },
  API_KEY_MISTYPED: unknownCaller,
  API_KEY_REVOKED: unknownCaller,
  API_KEY_EXPIRED: unknownCaller,
  ACCOUNT_DISABLED: denied,
  ACCESS_DENIED: denied,
  INSUFFICIENT_SCOPE: denied,
  RESULT_NOT_READY: conflict,
  RESULT_NOT_AVAILABLE: gone,
  RESULT_NOT_ACCEPTABLE: { status: 406, type: 'invalid_request_error' },
  RATE_LIMITED: { status: 429, type: 'requests', openAICode: 'rate_limit_exceeded' },
  TOO_MANY_JOBS: { status: 429, type: 'requests', openAICode: 'rate_limit_exceeded' },
  QUOTA_EXCEEDED: { status: 429, type: 'insufficient_quota', openAICode: 'insufficient_quota' },
  BACKLOG_FULL: { status: 503, type: 'server_error' },
  JOB_NOT_DELETABLE: conflict,
  JOB_NOT_CANCELLABLE: conflict,
  JOB_NOT_RETRYABLE: conflict,
  JOB_CANCELLED: conflict,
  JOB_EXPIRED: gone,
  IDEMPOTENCY_KEY_REUSED: { status: 422, type: 'invalid_request_error' },
  ASR_ENGINE_FAILED: serverError,
  ASR_ENGINE_REJECTED: badRequest,
  LLM_ENGINE_FAILED: serverError,
  LLM_ENGINE_REJECTED: badRequest,
  LLM_CONTEXT_EXCEEDED: { ...badRequest, openAICode: 'context_length_exceeded' },
  TTS_ENGINE_FAILED: serverError,
  TTS_ENGINE_REJECTED: badRequest,
  MEDIA_TOOL_FAILED: serverError,
  ENGINE_CRASHED: serverError,
  BATCH_FAILED: serverError,
  EXPORT_FAILED: serverError,
  ARCHIVE_INVALID: badRequest,
  IMPORT_CONFLICT: conflict,
  ERASURE_INCOMPLETE: serverError,
  SERVICE_UNAVAILABLE: { status: 503, type: 'server_error' },
  CONFIG_INVALID: serverError,
  INTERNAL: serverError,
};
