import { createNamedHostFetch, EgressRefusedError } from '@aigolos/egress';

export type HubFetch = (
  url: string,
  init: { headers?: Record<string, string>; signal: AbortSignal },
) => Promise<Response>;

const MAX_REDIRECTS = 5;
const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308]);

/**
 * `fetch` of what a model hub has. A hub sends those who ask for a large file on to another host, so redirects are followed, each
 * held to the rules of what goes out: the hub's own name may stand for any machine, since the operator chose it; whatever it sends to
 * is public and reached by https.
 * @param viaProxy a proxy that the environment names makes the connections: see `createNamedHostFetch`.
 * @throws EgressRefusedError, or what a connection failed with.
 */
export function createHubFetch(hubUrl: string, viaProxy: boolean): HubFetch {
  const fetchOnce = createNamedHostFetch(hubUrl, { viaProxy });

  async function follow(url: URL, init: Parameters<HubFetch>[1], redirectsLeft: number): Promise<Response> {
    const response = await fetchOnce(url, init);
    const location = response.headers.get('location');
    if (!REDIRECT_STATUS.has(response.status) || location === null || redirectsLeft === 0) return response;
    await response.body?.cancel();
    return follow(new URL(location, url), init, redirectsLeft - 1).catch((error: unknown) => {
      if (!(error instanceof EgressRefusedError) || error.cause) throw error;
      throw new EgressRefusedError(`it sends to a URL that ${error.message}`, { cause: error });
    });
  }

  return (url, init) => follow(new URL(url), init, MAX_REDIRECTS);
}
