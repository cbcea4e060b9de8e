import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import type { EgressRules } from '../src/egress-rules.ts';

export interface CheckThenFetchDeps {
  rules: EgressRules;
  resolve: (hostname: string) => Promise<string[]>;
  timeoutMs: number;
}

const REDIRECTS = 5;

/**
 * What many do, for a control: check the URL and its addresses by the very rules of the guard, and then let an HTTP client look the name up again
 * and follow redirects. That the rules know every range is of no use to it.
 */
export async function checkThenFetch(text: string, deps: CheckThenFetchDeps): Promise<void> {
  const { rules, resolve } = deps;
  const url = new URL(text);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  const refusals = [rules.urlRefusal(url), ...addresses.map((address) => rules.addressRefusal(url, address))];
  if (refusals.some(Boolean)) throw new Error('refused');
  let next: URL | undefined = url;
  for (let hops = 0; next && hops <= REDIRECTS; hops++) next = await get(next, deps);
}

/** @returns where the answer sends to. */
async function get(url: URL, { resolve, timeoutMs }: CheckThenFetchDeps): Promise<URL | undefined> {
  const lookup: LookupFunction = (name, _options, callback) => {
    callbackify(resolve)(name, (error, again) => {
      callback(error, again?.map((address) => ({ address, family: isIP(address) })) ?? []);
    });
  };
  // By http, since a canary needs no more than a connection.
  const plain = url.href.replace(/^https:/, 'http:');
  const sending = request(plain, { lookup, agent: false, timeout: timeoutMs });
  sending.on('timeout', () => sending.destroy()).end();
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  answer.resume();
  const { location } = answer.headers;
  return location === undefined ? undefined : new URL(location, url);
}
