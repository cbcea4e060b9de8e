import type { IncomingMessage } from 'node:http';
import { type Egress, EgressRefusedError } from '@aigolos/egress';

export interface Outgoing {
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface ExchangeDeps {
  egress: Egress;
  /** For the whole of it, from the look-up of the name to the last byte of the answer. */
  timeoutMs: number;
}

export type Exchanged =
  | { outcome: 'answered'; status: number; retryAfter?: string }
  /** No answer, or none to its end; the reason holds neither address nor content. */
  | { outcome: 'failed'; error: string }
  /** The caller's signal came first. */
  | { outcome: 'stopped' };

/** So much of an answer is read, and nothing of it kept. */
const ANSWER_BYTES = 64 * 1024;

/** Posts to a receiver. Redirects are answers like others and are not followed. */
export async function exchange(outgoing: Outgoing, deps: ExchangeDeps, signal: AbortSignal): Promise<Exchanged> {
  const { egress, timeoutMs } = deps;
  const { url, headers, body } = outgoing;
  const budget = AbortSignal.timeout(timeoutMs);
  const ended = AbortSignal.any([signal, budget]);
  try {
    return await readAnswer(await egress.request(new URL(url), { method: 'POST', headers, body, signal: ended }));
  } catch (error) {
    if (signal.aborted) return { outcome: 'stopped' };
    if (budget.aborted) return { outcome: 'failed', error: `there was no complete answer within ${timeoutMs} ms` };
    if (error instanceof EgressRefusedError) return { outcome: 'failed', error: `the receiver's URL ${error.message}` };
    return { outcome: 'failed', error: `the connection failed (${codeOf(error)})` };
  }
}

async function readAnswer(answer: IncomingMessage): Promise<Exchanged> {
  const { statusCode: status = 0 } = answer;
  const retryAfter = answer.headers['retry-after'];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop ends the connection.
    if (bytes > ANSWER_BYTES) break;
  }
  return { outcome: 'answered', status, ...(retryAfter !== undefined && { retryAfter }) };
}

/** The system's own short name of what happened; its message can hold addresses. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'no further reason';
}
