import { STATUS_CODES } from 'node:http';
import type { AIGolosError, OpenAIErrorBody, Problem } from '@aigolos/contracts';
import { ERROR_TABLE } from './error-table.ts';

const OPENAI_ROUTES = /^\/v1\/(audio|batches|chat|conversations|files|models|organization|responses|uploads)(\/|\?|$)/;

/** Routes that behave as OpenAI's do, errors included. */
export function isOpenAIRoute(url: string): boolean {
  return OPENAI_ROUTES.test(url);
}

/** OpenAI's error body. */
export function toOpenAIError(error: AIGolosError): OpenAIErrorBody {
  const { type, openAICode } = ERROR_TABLE[error.code];
  const code = openAICode ?? error.code.toLowerCase();
  return { error: { message: error.message, type, param: error.param ?? null, code } };
}

/** RFC 9457 problem details; OpenAI's clients, which call our own routes too, read the member `error` alone. */
export function toProblem(error: AIGolosError, request: { url: string; id: string }): Problem {
  const { status } = ERROR_TABLE[error.code];
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: error.message,
    instance: request.url,
    code: error.code,
    errors: error.issues,
    request_id: request.id,
    ...toOpenAIError(error),
  };
}
