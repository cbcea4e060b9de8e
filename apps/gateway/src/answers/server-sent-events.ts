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

/** Says a comment after each `everyMs` of silence, so that nothing between us and the client takes the stream for dead. */
export async function* withHeartbeat(events: AsyncGenerator<string>, everyMs: number): AsyncGenerator<string> {
  try {
    for (;;) {
      const next = events.next();
      while ((await within(next, everyMs)) === SILENT) yield ': still here\n\n';
      const { done, value } = await next;
      if (done) return;
      yield value;
    }
  } finally {
    await events.return(undefined);
  }
}
