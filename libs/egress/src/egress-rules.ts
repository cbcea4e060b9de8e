import { isIP } from 'node:net';
import {
  isPublicAddress,
  isReachableByName,
  isWithin,
  METADATA_ADDRESSES,
  parseAddress,
  parseNetwork,
} from './address.ts';
import { machineAddresses } from './machine-addresses.ts';

/** What an operator allows beside the public internet; nothing where a field is absent. */
export interface EgressPolicy {
  /** Networks that need not be public, in CIDR notation. */
  networks?: readonly string[];
  /** Hosts whose addresses need not be public: a name, an address, or `*.name` for every name below one. */
  hosts?: readonly string[];
  /** Ports of all requests, such as `443` and `8000-8999`; {@link WEB_PORTS} where absent. */
  ports?: readonly string[];
}

/** None of the ports below 1024 on which other services (mail, shells, directories) listen. */
export const WEB_PORTS = ['80', '443', '1024-65535'];

/** Where requests may go: to public addresses by https, and to what the operator allows by http too. */
export interface EgressRules {
  /** Is anything allowed that is not public? Names that only this machine knows are of no use elsewhere. */
  readonly allowsInternal: boolean;
  /**
   * Why no request may go to this URL, as far as can be told without a look at its name's addresses: what it must be, or
   * that it cannot be reached. `undefined` where one may.
   */
  urlRefusal(url: URL): string | undefined;
  /** Why no connection may be made to this IP address for this URL, in words that do not repeat it. */
  addressRefusal(url: URL, address: string): string | undefined;
}

/** @param ownAddresses what counts as this machine; for tests. */
export function createEgressRules(policy: EgressPolicy, ownAddresses = machineAddresses): EgressRules {
  const hosts = (policy.hosts ?? []).map(bareHost);
  const networks = (policy.networks ?? []).map(parseNetwork);
  const ports = (policy.ports ?? WEB_PORTS).map(parseRange);
  const isNamed = ({ hostname }: URL) => hosts.some((host) => matches(bareHost(hostname), host));

  function addressRefusal(url: URL, address: string): string | undefined {
    const parsed = parseAddress(address);
    if (!parsed) return 'it is no IP address';
    const own = networks.filter((network) => isWithin(parsed, network));
    if (METADATA_ADDRESSES.some((metadata) => isWithin(parsed, metadata))) {
      return own.some(([, bits]) => bits === parsed.toByteArray().length * 8)
        ? undefined
        : "it is a cloud's metadata service";
    }
    if (own.length > 0 || (isNamed(url) && isReachableByName(parsed))) return undefined;
    if (!isPublicAddress(parsed)) return 'it is not an address of the public internet';
    if (ownAddresses().some((each) => parseAddress(each)?.toString() === parsed.toString())) {
      return 'it is an address of this machine';
    }
    return url.protocol === 'https:' ? undefined : 'only https goes to the public internet';
  }

  const allowsInternal = networks.length > 0 || hosts.length > 0;
  return {
    allowsInternal,
    addressRefusal,
    urlRefusal(url) {
      if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be an https:// URL';
      if (url.username !== '' || url.password !== '') return 'must hold no user name or password';
      const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
      if (!ports.some(({ from, to }) => port >= from && port <= to)) return `must not have the port ${port}`;
      const address = addressOf(url.hostname);
      const why = address === undefined ? undefined : addressRefusal(url, address);
      if (why) return `cannot be reached: ${why}, and not in a network that this installation allows`;
      // The addresses of a name decide where there are networks of the operator's own.
      const needsTls = networks.length === 0 && !isNamed(url);
      return url.protocol === 'http:' && needsTls ? 'must begin with https://' : undefined;
    },
  };
}

/** The host of a URL without the brackets of an IPv6 address and the dot at the end of a full name. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

/** The address that a URL's host is, where it needs no look-up. */
function addressOf(hostname: string): string | undefined {
  const bare = bareHost(hostname);
  if (/^(.+\.)?localhost$/.test(bare)) return '127.0.0.1';
  return isIP(bare) === 0 ? undefined : bare;
}

function parseRange(range: string): { from: number; to: number } {
  const [from = 0, to = from] = range.split('-').map(Number);
  return { from, to };
}

function matches(name: string, host: string): boolean {
  const wanted = host.toLowerCase();
  return wanted.startsWith('*.') ? name.endsWith(wanted.slice(1)) : name === wanted;
}
