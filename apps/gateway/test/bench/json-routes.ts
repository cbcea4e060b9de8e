import autocannon from 'autocannon';
import { CHAT_REQUEST } from './chat-schemas.ts';
import { compare } from './compared.ts';

const SERVERS = ['zod', 'ajv', 'bare'] as const;
const CONNECTIONS = 20;

/** Milliseconds of processor time that each server takes for a request, round by round. */
export function jsonRoutes(rounds: number, amount: number): Promise<Record<(typeof SERVERS)[number], number[]>> {
  return compare(SERVERS, rounds, async (url, name) => {
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
