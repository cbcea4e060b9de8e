import { createEgress, EgressRefusedError } from './egress.ts';
import { createEgressFetch, type EgressFetch } from './egress-fetch.ts';
import { createEgressRules, WEB_PORTS } from './egress-rules.ts';

export interface NamedHostOptions {
  /** A proxy that the environment names makes the connections, and looks the names up: only URLs are held to the rules then. */
  viaProxy?: boolean | undefined;
  /** Gives every IP address of a name; for tests. */
  resolve?: Parameters<typeof createEgress>[1];
}

/**
 * `fetch` for a server that the operator has named: its name may stand for any machine of theirs, on the port that stands in its URL, but for
 * what no server of theirs can be (a metadata service, a link-local address). Any other host must be public and reached by https. A redirect is an
 * answer.
 * @throws EgressRefusedError, or what a connection failed with.
 */
export function createNamedHostFetch(named: string, { viaProxy = false, resolve }: NamedHostOptions = {}): EgressFetch {
  const { hostname, port } = new URL(named);
  const rules = createEgressRules({ hosts: [hostname], ports: port ? [...WEB_PORTS, port] : WEB_PORTS });
  if (!viaProxy) return createEgressFetch(createEgress(rules, resolve));
  return async (url, init) => {
    const refusal = rules.urlRefusal(new URL(url));
    if (refusal !== undefined) throw new EgressRefusedError(refusal);
    return fetch(url, { ...init, redirect: 'manual' });
  };
}
