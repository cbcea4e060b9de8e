import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { bareHost, type EgressRules } from './egress-rules.ts';
import { createNameResolver } from './resolve-name.ts';

export interface OutgoingRequest {
  method: string;
  headers: Record<string, string>;
  body?: string | Uint8Array | undefined;
  /** Ends all of it, from the look-up of the name to the last byte of the answer. */
  signal: AbortSignal;
}

/** Requests to addresses that somebody else has chosen. */
export interface Egress {
  /**
   * Sends a request on a connection of its own and gives the answer, whose body is the caller's to read or to destroy. The
   * name is looked up once; every address of it must be one that may be reached, and the connection goes to those very
   * addresses. No pool, no proxy; a redirect is an answer like others and is not followed.
   * @throws EgressRefusedError where it may not go there; what the look-up or the connection failed with; `signal.reason`.
   */
  request(url: URL, outgoing: OutgoingRequest): Promise<IncomingMessage>;
}

/** A host that drops what is sent to it is not waited for as long as an answer may take. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The rules do not let the request go there. Its message, without subject, is for whoever chose the URL, and repeats no address. */
export class EgressRefusedError extends Error {
  override readonly name = 'EgressRefusedError';
}

/** @param resolve gives every IP address of a name. */
export function createEgress(
  rules: EgressRules,
  resolve = createNameResolver({ asksSystem: rules.allowsInternal }),
): Egress {
  async function permittedAddresses(url: URL, signal: AbortSignal): Promise<string[]> {
    const refusal = rules.urlRefusal(url);
    if (refusal !== undefined) throw new EgressRefusedError(refusal);
    const host = bareHost(url.hostname);
    const looked = isIP(host) === 0 ? resolve(url.hostname) : Promise.resolve([host]);
    const addresses = await unlessAborted(looked, signal);
    const why = addresses.map((address) => rules.addressRefusal(url, address)).find(Boolean);
    if (why !== undefined) throw new EgressRefusedError(`cannot be reached: ${why}`);
    if (addresses.length === 0) throw Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' });
    return addresses;
  }

  return {
    async request(url, outgoing) {
      const addresses = await permittedAddresses(url, outgoing.signal);
      return send(url, outgoing, addresses);
    },
  };
}

function send(
  url: URL,
  { method, headers, body, signal }: OutgoingRequest,
  addresses: string[],
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // `agent: false`: no pool, in which a connection could outlive what was checked, and no proxy, which would look the name up again.
  const sending = request(url, {
    method,
    headers: body === undefined ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    agent: false,
    lookup: answerWith(addresses),
    signal,
  });
  sending.on('socket', (socket) => {
    if (!socket.connecting) return;
    const late = setTimeout(() => sending.destroy(new Error('no connection in time')), CONNECT_TIMEOUT_MS);
    for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(late));
  });
  sending.on('response', resolve);
  sending.on('error', reject);
  // Node ends a connection that the receiver switches to another protocol, and tells of it by this alone.
  sending.on('close', () => reject(new Error('closed without an answer')));
  sending.end(body);
  return promise;
}

/** The look-up of a connection whose addresses are known and checked. */
function answerWith(addresses: string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    if (options.all) return callback(null, all);
    const [first = { address: '', family: 0 }] = all;
    return callback(null, first.address, first.family);
  };
}

/** A look-up cannot be broken off; its answer is not waited for. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
