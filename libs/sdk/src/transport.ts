import { ApiError, ConnectionError } from './errors.ts';
import { readError } from './read-error.ts';
import { delayMs, isWorthAnotherTry, sleep } from './retry.ts';

/** Where a client finds its installation, and how it gets there. */
export interface ClientOptions {
  /** Where the gateway is, such as `http://127.0.0.1:8787`; with or without `/v1`. */
  baseUrl: string;
  /** A key of an account, such as `ag_…`. */
  apiKey: string;
  /** For a proxy, or a test; the global one where absent. */
  fetch?: typeof fetch;
  /** How often a request that failed is sent again, where that is safe; 4 where absent. */
  maxRetries?: number;
}

/** What any call takes. */
export interface CallOptions {
  /** Ends the call with its reason. A job that was submitted goes on. */
  signal?: AbortSignal | undefined;
}

export interface Call extends CallOptions {
  method?: 'GET' | 'POST' | 'DELETE';
  /** Such as `/v1/jobs`. */
  path: string;
  headers?: Record<string, string>;
  /** Made anew for each try; the signal aborts when that one has failed. */
  body?: (over: AbortSignal) => Promise<Pick<RequestInit, 'body' | 'duplex'>>;
  /** May it be sent again, though it may have taken effect? Asked anew after each failure; true of a GET where absent. */
  isRepeatable?: () => boolean;
  /** What ended a request on our side of it, such as a file that cannot be read: no further try is of use. */
  failure?: () => Error | undefined;
  /** How long one try may take; without limit where it is null. */
  timeoutMs?: number | null;
}

/** One way to the service for all calls. */
export interface Transport {
  /**
   * Sends a request, again where it failed and that is safe, until the answer was read.
   * @throws ApiError, ConnectionError, the signal's reason.
   */
  send<Result>(call: Call, read: (response: Response) => Promise<Result>): Promise<Result>;
  readonly maxRetries: number;
}

const MAX_RETRIES = 4;
const TIMEOUT_MS = 60_000;

export function createTransport(options: ClientOptions): Transport {
  const { apiKey, maxRetries = MAX_RETRIES, fetch: send = fetch } = options;
  const baseUrl = options.baseUrl.replace(/\/+$/, '').replace(/\/v1$/, '');

  async function attempt<Result>(call: Call, read: (response: Response) => Promise<Result>): Promise<Result> {
    const { method = 'GET', path, signal, timeoutMs = TIMEOUT_MS } = call;
    const limits = [signal, timeoutMs === null ? undefined : AbortSignal.timeout(timeoutMs)];
    const over = new AbortController();
    const body = await call.body?.(over.signal);
    try {
      const response = await send(`${baseUrl}${path}`, {
        method,
        headers: { authorization: `Bearer ${apiKey}`, ...call.headers },
        signal: AbortSignal.any(limits.filter((limit) => limit !== undefined)),
        ...body,
      });
      if (!response.ok) throw await readError(response);
      return await read(response);
    } catch (error) {
      over.abort();
      if (signal?.aborted) throw signal.reason;
      const own = call.failure?.();
      if (own) throw own;
      if (error instanceof ApiError || error instanceof ConnectionError) throw error;
      throw new ConnectionError(`${baseUrl} does not answer (${reasonOf(error)}).`, { cause: error });
    }
  }

  return {
    maxRetries,
    async send(call, read) {
      const { method = 'GET', isRepeatable = () => method === 'GET', signal } = call;
      for (let failures = 1; ; failures += 1) {
        try {
          return await attempt(call, read);
        } catch (error) {
          if (failures > maxRetries || !isWorthAnotherTry(error) || !isRepeatable()) throw error;
          await sleep(delayMs(error, failures), signal);
        }
      }
    },
  };
}

/** The answer as its route promises it. */
export async function asJson<Body>(response: Response): Promise<Body> {
  return (await response.json()) as Body;
}

/** `fetch failed` says nothing; what it was caused by does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
