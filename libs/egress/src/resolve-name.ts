import { lookup, Resolver } from 'node:dns/promises';

export interface NameResolverOptions {
  /** Names that only this machine knows (its hosts file, its search domains) are asked of the system. */
  asksSystem: boolean;
  /** Name servers, as address and port; those of the system where absent. */
  servers?: string[];
}

const TIMEOUT_MS = 2_000;
const TRIES = 2;
/** What name servers do not know, or there are none. One that does not answer is not asked for again in another way. */
const UNKNOWN = new Set(['ENOTFOUND', 'ENODATA', 'ECONNREFUSED']);

/**
 * Gives every IPv4 and IPv6 address of a name, asking the name servers directly. The system's look-up (getaddrinfo) has four
 * threads for the whole process: a few names whose servers stay silent would take them from the receivers of all others.
 * @throws an error with the code of the look-up where there is no address.
 */
export function createNameResolver({
  asksSystem,
  servers,
}: NameResolverOptions): (hostname: string) => Promise<string[]> {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, maxTimeout: TIMEOUT_MS, tries: TRIES });
  if (servers) resolver.setServers(servers);

  return async (hostname) => {
    if (asksSystem && /^(.+\.)?localhost\.?$/.test(hostname)) return systemAddresses(hostname);
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length > 0) return addresses;
    const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
    if (asksSystem && errors.every((error) => UNKNOWN.has(codeOf(error)))) return systemAddresses(hostname);
    throw errors.find((error) => !UNKNOWN.has(codeOf(error))) ?? errors[0] ?? new Error('no address');
  };
}

async function systemAddresses(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? '';
}
