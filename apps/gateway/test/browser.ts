import { parseSetCookie, type SetCookie, stringifyCookie } from 'cookie';

const MOST_HOPS = 10;

/** Keeps cookies by origin and follows redirects, as a browser does; it sends no cookies where `SameSite=Lax` forbids them. */
export interface Browser {
  /** Opens a page as somebody who follows a link does. `until` stops before a URL that it is true of. */
  open(url: string, until?: (url: string) => boolean): Promise<Visit>;
  request(url: string, init?: RequestInit): Promise<Response>;
  /** What it keeps of an origin, by name. */
  cookies(origin: string): Map<string, SetCookie>;
}

export interface Visit {
  /** Where it ended. */
  url: string;
  /** Of the last page; absent where it was stopped. */
  response?: Response;
}

/** @param hosts where the hosts of URLs really are. */
export function createBrowser(hosts: Record<string, string>): Browser {
  const jars = new Map<string, Map<string, SetCookie>>();

  function cookies(origin: string): Map<string, SetCookie> {
    const jar = jars.get(origin) ?? new Map<string, SetCookie>();
    jars.set(origin, jar);
    return jar;
  }

  async function request(url: string, init: RequestInit = {}): Promise<Response> {
    const { origin, pathname, search } = new URL(url);
    const jar = cookies(origin);
    const sent = Object.fromEntries([...jar.values()].map(({ name, value }) => [name, value]));
    const headers = { accept: 'text/html', cookie: stringifyCookie(sent), ...(init.headers as object) };
    const response = await fetch((hosts[origin] ?? origin) + pathname + search, {
      ...init,
      headers,
      redirect: 'manual',
    });
    for (const text of response.headers.getSetCookie()) {
      const cookie = parseSetCookie(text);
      if (cookie.maxAge === 0 || (cookie.expires && cookie.expires.getTime() < Date.now())) jar.delete(cookie.name);
      else jar.set(cookie.name, cookie);
    }
    return response;
  }

  async function follow(url: string, until: (url: string) => boolean, hopsLeft: number): Promise<Visit> {
    if (until(url)) return { url };
    const response = await request(url);
    const location = response.headers.get('location');
    if (location === null) return { url, response };
    if (hopsLeft === 0) throw new Error(`${url} goes on for ever`);
    return follow(new URL(location, url).href, until, hopsLeft - 1);
  }

  return { cookies, request, open: (url, until = () => false) => follow(url, until, MOST_HOPS) };
}
