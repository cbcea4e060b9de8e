import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { SILENT, within } from './within.ts';

/** One event with this data; where it has an id, that is what a client that comes back names as `Last-Event-ID`. */
export function sseEvent(data: object | '[DONE]', { event, id }: { event?: string; id?: string } = {}): string {
  const fields = [event !== undefined && `event: ${event}\n`, id !== undefined && `id: ${id}\n`];
  return `${fields.filter(Boolean).join('')}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

/** Sends events as they come; nothing between us and the client is to keep or collect them. */
export function sendEvents(reply: FastifyReply, events: Readable): FastifyReply {
  return reply
    .type('text/event-stream; charset=utf-8')
    .header('cache-control', 'no-cache')
    .header('x-accel-buffering', 'no')
    .send(events);
}

/** The headers go with the first bytes: who goes on with a job that is silent is not to wait for them. */
const OPEN_WITHIN_MS = 100;

/**
 * Says a comment after each `everyMs` of silence, so that nothing between us and the client takes the stream for dead, and
 * at once where the stream begins with silence.
 */
export async function* withHeartbeat(events: AsyncGenerator<string>, everyMs: number): AsyncGenerator<string> {
  try {
    for (let silenceMs = OPEN_WITHIN_MS; ; silenceMs = everyMs) {
      const next = events.next();
      for (; (await within(next, silenceMs)) === SILENT; silenceMs = everyMs) yield ': still here\n\n';
      const { done, value } = await next;
      if (done) return;
      yield value;
    }
  } finally {
    await events.return(undefined);
  }
}
