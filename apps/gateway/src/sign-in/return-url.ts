/** Pages that one may come back to; whatever else is asked for, the first it is. */
const PAGES = ['/admin/queues', '/docs'];
/** It travels in a cookie, and browsers drop large ones. */
const MAX_CHARACTERS = 1_000;

/**
 * Where a browser goes after it has signed in: to the page of ours that it wanted, and never to another site. In full, since a path such as
 * `//example.com` would be a host to the browser.
 */
export function returnUrl(wanted: string | undefined, publicUrl: URL): URL {
  const url = URL.parse(wanted ?? '', publicUrl.href);
  const fits = (url?.href.length ?? 0) <= MAX_CHARACTERS;
  const isPage = PAGES.some((page) => url?.pathname === page || url?.pathname.startsWith(`${page}/`));
  return url?.origin === publicUrl.origin && isPage && fits ? url : new URL(PAGES[0] ?? '/', publicUrl);
}
