import type { ChatCompletionChunk, OpenAIErrorBody } from '@aigolos/contracts';
import { ApiError, ConnectionError } from './errors.ts';
import { readEvents } from './events.ts';
import { fromOpenAI } from './read-error.ts';
import { jsonCall, type SubmitOptions } from './submission.ts';
import type { Transport } from './transport.ts';

/**
 * An answer while it is made. Read once. Where it breaks off, the job goes on: `jobs.wait` and `jobs.result` have it.
 * @throws ApiError with what the job ended with; ConnectionError where the connection broke off.
 */
export interface ChatStream extends AsyncIterable<ChatCompletionChunk> {
  /** Of its job, which `jobs` knows. */
  readonly jobId: string;
}

/** Resolves when the answer begins, or when it is clear that it will take a while. */
export async function streamChat(transport: Transport, content: object, options: SubmitOptions): Promise<ChatStream> {
  const { signal } = options;
  const body = { ...content, stream: true, stream_options: { include_usage: true } };
  const call = { ...jsonCall('/v1/chat/completions', body, options), timeoutMs: null, signal };
  const response = await transport.send(call, async (answer) => answer);
  const jobId = response.headers.get('x-job-id') ?? '';
  return { jobId, [Symbol.asyncIterator]: () => chunks(response, { jobId, signal }) };
}

async function* chunks(
  response: Response,
  { jobId, signal }: { jobId: string; signal: AbortSignal | undefined },
): AsyncGenerator<ChatCompletionChunk> {
  try {
    for await (const { data } of readEvents(response)) {
      if (data === '[DONE]') return;
      const body = JSON.parse(data) as ChatCompletionChunk | OpenAIErrorBody;
      if ('error' in body) throw fromOpenAI(body, { status: response.status, jobId });
      yield body;
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof ApiError) throw error;
    throw brokeOff(jobId, error);
  }
  throw brokeOff(jobId);
}

function brokeOff(jobId: string, cause?: unknown): ConnectionError {
  return new ConnectionError(`The answer broke off; job ${jobId} goes on without its reader.`, { cause, jobId });
}
