import autocannon from 'autocannon';
import { CHAT_REQUEST } from './chat-schemas.ts';
import { withCompared } from './compared.ts';

const SERVERS = ['zod', 'ajv', 'bare'] as const;
const CONNECTIONS = 20;

/** Requests a second of each server, round by round, one after another in each. */
export function jsonRoutes(rounds: number, seconds: number): Promise<Record<(typeof SERVERS)[number], number[]>> {
  return withCompared(SERVERS, async (urls) => {
    const measured = { zod: [] as number[], ajv: [] as number[], bare: [] as number[] };
    for (let round = -1; round < rounds; round += 1) {
      // What is first in one round is last in the next.
      for (const name of round % 2 === 0 ? SERVERS : SERVERS.toReversed()) {
        const { requests, non2xx, errors } = await autocannon({
          url: `${urls[name]}/v1/chat/completions`,
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench' },
          body: JSON.stringify(CHAT_REQUEST),
          connections: CONNECTIONS,
          duration: seconds,
        });
        if (non2xx + errors > 0) throw new Error(`${name}: ${non2xx} answers were not 2xx, ${errors} failed`);
        // The first round only warms up.
        if (round >= 0) measured[name].push(requests.average);
      }
    }
    return measured;
  });
}
