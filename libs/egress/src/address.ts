import { isIP, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Network = [Address, number];

/** What IANA has given out for the public internet; the rest of IPv6 is special or not given out. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Where clouds hand out their machines' credentials. Most are link-local, which says enough; these are private, shared or
 * public to look at. Source: the manuals of AWS (also of its containers), Google, Azure, Alibaba and Oracle.
 */
export const METADATA_ADDRESSES: readonly Network[] = [
  '169.254.169.254/32',
  '169.254.170.2/32',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  '168.63.129.16/32',
  '100.100.100.200/32',
  '192.0.0.192/32',
].map(parseNetwork);

/** Ranges that a name of the operator's own may lead to; no name stands for a link-local address or a multicast. */
const NAMEABLE_RANGES: ReadonlySet<string> = new Set(['loopback', 'private', 'carrierGradeNat', 'uniqueLocal']);

export function parseNetwork(cidr: string): Network {
  return ipaddr.parseCIDR(cidr);
}

/** An IPv4-mapped address (`::ffff:…`) is the IPv4 address: that is what the system connects to. A zone is left out. */
export function parseAddress(address: string): Address | undefined {
  if (isIP(address) === 0) return undefined;
  if (isIPv4(address)) return ipaddr.IPv4.parse(address);
  const [bare] = address.split('%', 1);
  // In hexadecimal, because the parser takes the long-dead `::127.0.0.1` for a mapped address.
  return ipaddr.process(new URL(`http://[${bare}]`).hostname.slice(1, -1));
}

export function isWithin(address: Address, [network, bits]: Network): boolean {
  return address.kind() === network.kind() && address.match([network, bits] as [ipaddr.IPv4, number]);
}

/**
 * Neither private, loopback, link-local, shared, multicast, reserved, nor of a range that leads into IPv4 by translation or a
 * tunnel (NAT64, 6to4, Teredo, ISATAP), where the address that is really reached is another.
 * Source: IANA's special-purpose address registries, as ipaddr.js names them; RFC 5214 section 6.1 for ISATAP.
 */
export function isPublicAddress(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return !isIPv6Address(address) || (isWithin(address, GLOBAL_UNICAST) && !isIsatap(address));
}

/** May a name that the operator has named lead here? */
export function isReachableByName(address: Address): boolean {
  return isPublicAddress(address) || NAMEABLE_RANGES.has(address.range());
}

function isIPv6Address(address: Address): address is ipaddr.IPv6 {
  return address.kind() === 'ipv6';
}

/** Its second half is `0000:5efe` or `0200:5efe` and an IPv4 address. */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  return ((parts[4] ?? 0) & 0xfdff) === 0 && parts[5] === 0x5efe;
}
