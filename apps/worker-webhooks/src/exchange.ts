import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { ReceiverRules } from '@aigolos/lifecycle';

export interface Outgoing {
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface ExchangeDeps {
  rules: Pick<ReceiverRules, 'refusal'>;
  /** For the whole of it, from the look-up of the name to the last byte of the answer. */
  timeoutMs: number;
  /** Gives every IP address of a name. */
  resolve: (hostname: string) => Promise<string[]>;
}

export type Exchanged =
  | { outcome: 'answered'; status: number; retryAfter?: string }
  /** No answer, or none to its end; the reason holds neither address nor content. */
  | { outcome: 'failed'; error: string }
  /** The caller's signal came first. */
  | { outcome: 'stopped' };

/** So much of an answer is read, and nothing of it kept. */
const ANSWER_BYTES = 64 * 1024;

/**
 * Posts to a receiver on a connection of its own. Its name is looked up once; every address of it must be one that may be
 * reached, and the connection goes to those very addresses. Redirects are answers like others and are not followed.
 */
export async function exchange(outgoing: Outgoing, deps: ExchangeDeps, signal: AbortSignal): Promise<Exchanged> {
  const { rules, timeoutMs, resolve } = deps;
  const budget = AbortSignal.timeout(timeoutMs);
  const url = new URL(outgoing.url);
  try {
    const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const looked = isIP(hostname) === 0 ? resolve(hostname) : Promise.resolve([hostname]);
    const ended = AbortSignal.any([signal, budget]);
    const addresses = await unlessAborted(looked, ended);
    const refusal = addresses.map((address) => rules.refusal(address, url.protocol)).find(Boolean);
    if (refusal) return { outcome: 'failed', error: `the receiver's address may not be reached: ${refusal}` };
    return await post(url, { ...outgoing, addresses, signal: ended });
  } catch (error) {
    if (signal.aborted) return { outcome: 'stopped' };
    if (budget.aborted) return { outcome: 'failed', error: `there was no complete answer within ${timeoutMs} ms` };
    return { outcome: 'failed', error: `the connection failed (${codeOf(error)})` };
  }
}

function post(
  url: URL,
  { headers, body, addresses, signal }: Outgoing & { addresses: string[]; signal: AbortSignal },
): Promise<Exchanged> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const { promise, resolve, reject } = Promise.withResolvers<Exchanged>();
  const length = String(Buffer.byteLength(body));
  let answering = false;
  // `agent: false`: no pool, in which a connection could outlive what was checked.
  const sending = request(url, {
    method: 'POST',
    headers: { ...headers, 'content-length': length },
    agent: false,
    lookup: answerWith(addresses),
    signal,
  });
  sending.on('error', reject);
  // Node ends a connection that the receiver switches to another protocol, and tells of it by this alone.
  sending.on('close', () => {
    if (!answering) reject(new Error('closed without an answer'));
  });
  sending.on('response', (response) => {
    answering = true;
    const { statusCode: status = 0 } = response;
    const retryAfter = response.headers['retry-after'];
    const answered = { outcome: 'answered', status, ...(retryAfter !== undefined && { retryAfter }) } as const;
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= ANSWER_BYTES) return;
      resolve(answered);
      sending.destroy();
    });
    response.on('end', () => resolve(answered));
    response.on('error', reject);
  });
  sending.end(body);
  return promise;
}

/** The look-up of a connection whose addresses are known and checked. */
function answerWith(addresses: string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    if (options.all) return callback(null, all);
    const [first = { address: '', family: 0 }] = all;
    return callback(null, first.address, first.family);
  };
}

/** A look-up cannot be broken off; its answer is not waited for. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The system's own short name of what happened; its message can hold addresses. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'no further reason';
}
