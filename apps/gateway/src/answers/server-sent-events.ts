import { SILENT, within } from './within.ts';

/** One event with this data, and a name where it has one. */
export function sseEvent(data: object | '[DONE]', name?: string): string {
  const line = `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
  return name === undefined ? line : `event: ${name}\n${line}`;
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
