import { createNamedHostFetch, EgressRefusedError } from '@aigolos/egress';
import type { OpenAI } from 'openai';

/** A server that speaks OpenAI's HTTP API: vLLM, llama-server, Ollama, Speaches, OpenAI, another AIGolos. */
export interface UpstreamOptions {
  /** With its version, such as `http://gpu-1:8000/v1`. */
  baseUrl: string;
  /** For servers that ask for one. */
  apiKey?: string | undefined;
  /** The environment names a proxy, and Node's own `fetch` asks it: the server is reached through it then. */
  viaProxy?: boolean;
}

/**
 * A client that tries once (the caller owns retries), takes nothing from the environment, and follows no redirect: what is said would go to
 * a machine that the operator has not named. Wherever the name leads, it is no metadata service.
 * @param fetch makes the requests; for tests.
 */
export async function createUpstreamClient(
  { baseUrl, apiKey, viaProxy }: UpstreamOptions,
  fetch = createNamedHostFetch(baseUrl, { viaProxy }),
): Promise<OpenAI> {
  const { OpenAI } = await import('openai');
  return new OpenAI({
    baseURL: baseUrl,
    apiKey: apiKey ?? 'none',
    organization: null,
    project: null,
    maxRetries: 0,
    fetch: (url, init) => fetch(url instanceof Request ? url.url : url, init),
    logLevel: 'off',
  });
}

export interface UpstreamFailure {
  /** `rejected`: the same request will never succeed. `failed`: it may, later. */
  kind: 'rejected' | 'failed';
  /** For the caller: the server's own words where they explain a refusal. */
  message: string;
  /** The server's code or type of the error. */
  code: string | undefined;
}

/** A server's answer is kept to this many characters. */
const MESSAGE_CHARACTERS = 300;
/** Refusals that a later try can survive: a time-out, a conflict, too early, too many requests. */
const TRANSIENT_STATUS = new Set([408, 409, 425, 429]);

/** What an error of the client means: a refusal (4xx), or a failure (5xx, 429, no connection, a cut stream). */
export async function upstreamFailure(error: unknown): Promise<UpstreamFailure> {
  const { APIError } = await import('openai');
  if (error instanceof APIError && error.cause instanceof EgressRefusedError) {
    return { kind: 'rejected', message: `The upstream server ${error.cause.message}.`, code: undefined };
  }
  if (!(error instanceof APIError) || error.status === undefined) {
    return { kind: 'failed', message: 'The upstream server cannot be reached or cut the answer.', code: undefined };
  }
  const code = error.code ?? error.type ?? undefined;
  if (error.status >= 500 || TRANSIENT_STATUS.has(error.status)) {
    return { kind: 'failed', message: `The upstream server answered ${error.status}.`, code };
  }
  if (error.status >= 300 && error.status < 400) {
    const message = 'The upstream server sends to another address, which is not followed: its own must be configured.';
    return { kind: 'rejected', message, code };
  }
  if (error.status === 401 || error.status === 403) {
    // Its words can hold a part of the key.
    return { kind: 'rejected', message: 'The upstream server does not accept the API key that is configured.', code };
  }
  const words = error.message.slice(0, MESSAGE_CHARACTERS);
  return { kind: 'rejected', message: `The upstream server refused this request: ${words}`, code };
}
