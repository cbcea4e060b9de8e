import type { IncomingMessage } from 'node:http';
import type { Egress } from './egress.ts';

export interface EgressFetchLimits {
  /** For the whole of it, where the caller's signal does not end it earlier. */
  timeoutMs: number;
  /** More of an answer's body is an error of whoever reads it. */
  maxBytes: number;
}

export type EgressFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** Answers without a body, by the Fetch standard. */
const NULL_BODY_STATUS = new Set([204, 205, 304]);

/** `fetch` by way of {@link Egress}: with its errors, and with redirects as answers. Without limits those are the caller's. */
export function createEgressFetch(egress: Egress, limits?: EgressFetchLimits): EgressFetch {
  return async (url, { method = 'GET', headers, body, signal } = {}) => {
    const signals = [signal ?? [], limits ? AbortSignal.timeout(limits.timeoutMs) : []].flat();
    const content = new Response(body);
    // A compressed answer could be far larger than what comes.
    const sent = new Headers({ 'accept-encoding': 'identity', ...Object.fromEntries(content.headers) });
    for (const [name, value] of new Headers(headers)) sent.set(name, value);
    const answer = await egress.request(new URL(url), {
      method,
      headers: Object.fromEntries(sent),
      body: content.body ? await content.bytes() : undefined,
      signal: AbortSignal.any(signals),
    });
    return toResponse(answer, limits?.maxBytes ?? Infinity);
  };
}

function toResponse(answer: IncomingMessage, maxBytes: number): Response {
  const { statusCode: status = 0, headersDistinct } = answer;
  const headers = Object.entries(headersDistinct).flatMap(([name, values = []]) => {
    return values.map((value): [string, string] => [name, value]);
  });
  if (status < 200 || status > 599) {
    answer.destroy();
    throw new Error(`the answer has the status ${status}`);
  }
  if (NULL_BODY_STATUS.has(status)) {
    answer.resume();
    return new Response(null, { status, headers });
  }
  return new Response(ReadableStream.from(upTo(answer, maxBytes)), { status, headers });
}

async function* upTo(answer: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    yield chunk;
  }
}
