import autocannon from 'autocannon';
import { CHAT_REQUEST } from './chat-schemas.ts';
import { compare } from './compared.ts';

const SERVERS = ['zod', 'ajv', 'bare'] as const;
const CONNECTIONS = 20;
/** The pace of a machine changes within seconds: many short rounds tell more of two servers than few long ones. */
const SHORT_ROUNDS = 6;

/** Milliseconds of processor time that each server takes for a request, short round by short round. */
export function jsonRoutes(rounds: number, requests: number): Promise<Record<(typeof SERVERS)[number], number[]>> {
  const amount = Math.ceil(requests / SHORT_ROUNDS);
  return compare(SERVERS, { rounds: rounds * SHORT_ROUNDS, warmUp: SHORT_ROUNDS }, async (url, name) => {
    const { non2xx, errors } = await autocannon({
      url: `${url}/v1/chat/completions`,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench' },
      body: JSON.stringify(CHAT_REQUEST),
      connections: CONNECTIONS,
      amount,
    });
    if (non2xx + errors > 0) throw new Error(`${name}: ${non2xx} answers were not 2xx, ${errors} requests failed`);
    return { units: amount };
  });
}
