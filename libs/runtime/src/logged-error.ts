import { AIGolosError, type ErrorCode } from '@aigolos/contracts';

/** What a log says of an error. */
interface LoggedError {
  type: string;
  code?: unknown;
  message: string;
  stack?: string | undefined;
  cause?: LoggedError;
  errors?: LoggedError[];
}

/** Errors that quote what somebody has sent, to tell them what was wrong with it; an engine's server quotes prompts. Their causes do too. */
const QUOTING = new Set<ErrorCode>([
  'VALIDATION_FAILED',
  'ASR_ENGINE_REJECTED',
  'LLM_ENGINE_REJECTED',
  'LLM_CONTEXT_EXCEEDED',
  'TTS_ENGINE_REJECTED',
]);

/** Causes have causes; so many of them say enough. */
const MAX_DEPTH = 5;

/**
 * An error for the log, with its causes. What drivers hang on their errors besides (the command that failed with its arguments,
 * the document that was not written) is content, and is left out.
 */
export function toLoggedError(thrown: unknown, depth = 0): unknown {
  if (!(thrown instanceof Error)) return thrown;
  if (thrown instanceof AIGolosError && QUOTING.has(thrown.code)) {
    return { type: thrown.name, code: thrown.code, message: 'What it says is for whoever sent the request.' };
  }
  const { name, message, stack, cause } = thrown;
  const code = 'code' in thrown ? thrown.code : undefined;
  const errors = thrown instanceof AggregateError ? (thrown.errors as unknown[]) : [];
  const inner = (error: unknown) => toLoggedError(error, depth + 1) as LoggedError;
  const logged: LoggedError = { type: thrown.constructor.name || name, message, stack };
  if (typeof code === 'string' || typeof code === 'number') logged.code = code;
  if (depth === MAX_DEPTH) return logged;
  if (cause instanceof Error) logged.cause = inner(cause);
  if (errors.length > 0) logged.errors = errors.filter((error) => error instanceof Error).map(inner);
  return logged;
}
