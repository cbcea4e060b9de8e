import { networkInterfaces } from 'node:os';

/**
 * The addresses of this machine. A public one among them is no way out: what listens on all addresses answers there too,
 * behind any firewall that stands outside.
 */
export function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
}
