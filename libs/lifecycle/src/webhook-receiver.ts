import { isIP, isIPv6 } from 'node:net';
import { ValidationError } from '@aigolos/contracts';
import ipaddr from 'ipaddr.js';

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Which addresses webhooks may go to: public ones over https, and the operator's own networks over http too. */
export interface ReceiverRules {
  /** Why no connection may be made to this IP address, in words that do not repeat it; `undefined` where one may. */
  refusal(address: string, protocol: string): string | undefined;
  /**
   * The URL of a receiver, held to all that can be known of it without a look at its name's addresses: those are checked again
   * whenever a connection is made.
   * @throws ValidationError saying what would be right.
   */
  checkUrl(url: string): URL;
}

/** What IANA has given out for the public internet; the rest of IPv6 is special or not given out. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** @param allowedNetworks the operator's allow-list, in CIDR notation. */
export function createReceiverRules(allowedNetworks: readonly string[]): ReceiverRules {
  const networks = allowedNetworks.map((network): Network => ipaddr.parseCIDR(network));

  function refusal(address: string, protocol: string): string | undefined {
    const parsed = parseAddress(address);
    if (!parsed) return 'it is no IP address';
    if (networks.some((network) => isWithin(parsed, network))) return undefined;
    if (!isPublic(parsed)) return 'it is not an address of the public internet';
    return protocol === 'https:' ? undefined : 'only https goes to the public internet';
  }

  return {
    refusal,
    checkUrl(text) {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
        throw refused('must be an https:// URL');
      }
      if (url.username !== '' || url.password !== '') {
        throw refused('must hold no user name or password: receivers know AIGolos by its signature');
      }
      const address = addressOf(url.hostname);
      const why = address === undefined ? undefined : refusal(address, url.protocol);
      if (why) throw refused(`cannot be reached: ${why}, and not in a network that this installation allows`);
      if (url.protocol === 'http:' && networks.length === 0) throw refused('must begin with https://');
      return url;
    },
  };
}

function refused(what: string): ValidationError {
  return new ValidationError(`The webhook URL ${what}.`, { issues: [{ path: 'url', message: what }] });
}

/** The address that a URL's host is, where it needs no look-up. */
function addressOf(hostname: string): string | undefined {
  if (/^(.+\.)?localhost\.?$/.test(hostname)) return '127.0.0.1';
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 0 ? undefined : bare;
}

/** An IPv4-mapped address (`::ffff:…`) is the IPv4 address: that is what the system connects to. */
function parseAddress(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (isIP(address) === 0) return undefined;
  // The long-dead `::127.0.0.1`, which the parser would take for a mapped one.
  if (isIPv6(address) && address.includes('.') && !/^::ffff:/i.test(address)) return undefined;
  return ipaddr.process(address);
}

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, [network, bits]: Network): boolean {
  return address.kind() === network.kind() && address.match([network, bits] as [ipaddr.IPv4, number]);
}

/**
 * Neither private, loopback, link-local, shared, multicast, reserved, nor of a range that leads into IPv4 by translation or a
 * tunnel (NAT64, 6to4, Teredo), where the address that is really reached is another.
 * Source: IANA's special-purpose address registries, as ipaddr.js names them.
 */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || isWithin(address, GLOBAL_UNICAST);
}
