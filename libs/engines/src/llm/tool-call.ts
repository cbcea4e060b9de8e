import { randomUUID } from 'node:crypto';
import { LlmServiceError } from '@aigolos/contracts';

/** By which the outcome of a call names it. */
export function newCallId(): string {
  return `call_${randomUUID().replaceAll('-', '')}`;
}

/** @throws LlmServiceError: an answer that must be JSON cannot be a call as well. */
export function rejectFormatWithTools(): never {
  throw new LlmServiceError(
    'This model cannot hold an answer to JSON in a request with tools; leave out response_format or tools.',
    { code: 'LLM_ENGINE_REJECTED', param: 'response_format' },
  );
}
