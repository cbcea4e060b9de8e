import type { ErrorCode, OpenAIErrorBody, Problem } from '@aigolos/contracts';
import { ApiError, type ApiErrorCode } from './errors.ts';

/** OpenAI's own words for codes of ours; its routes write the others in lower case. */
const OPENAI_CODES: Record<string, ErrorCode> = {
  invalid_api_key: 'API_KEY_INVALID',
  unknown_url: 'ROUTE_NOT_FOUND',
  context_length_exceeded: 'LLM_CONTEXT_EXCEEDED',
  insufficient_quota: 'QUOTA_EXCEEDED',
  rate_limit_exceeded: 'RATE_LIMITED',
};

/** The error that an answer is: problem details, OpenAI's body, or, from whatever stands between, neither. */
export async function readError(response: Response): Promise<ApiError> {
  const { status, headers } = response;
  const body = (await response.json().catch(() => undefined)) as Partial<OpenAIErrorBody & Problem> | undefined;
  const common = {
    status,
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: retryAfterSeconds(headers),
    jobId: headers.get('x-job-id') ?? undefined,
  };
  if (body?.error?.message) return fromOpenAI(body as OpenAIErrorBody, common);
  const message = body?.detail ?? `${response.url} answered ${status} ${response.statusText}`.trim();
  return new ApiError(message, { ...common, code: body?.code ?? unspecific(status), issues: body?.errors });
}

/** The error that OpenAI's body tells of, which a stream may end with, too. */
export function fromOpenAI(
  { error }: OpenAIErrorBody,
  common: Omit<ConstructorParameters<typeof ApiError>[1], 'code'>,
): ApiError {
  const { message, param, code } = error;
  const known = code === null ? unspecific(common.status) : (OPENAI_CODES[code] ?? code.toUpperCase());
  return new ApiError(message, { ...common, code: known, param: param ?? undefined });
}

/** Seconds, or the date of which it is so many seconds (RFC 9110, section 10.2.3). */
function retryAfterSeconds(headers: Headers, now = Date.now()): number | undefined {
  const given = headers.get('retry-after');
  if (given === null) return undefined;
  const seconds = /^\d+$/.test(given) ? Number(given) : (Date.parse(given) - now) / 1_000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** For an answer that is not the service's own. */
function unspecific(status: number): ApiErrorCode {
  return status === 429 || status === 502 || status === 503 || status === 504 ? 'SERVICE_UNAVAILABLE' : 'INTERNAL';
}
