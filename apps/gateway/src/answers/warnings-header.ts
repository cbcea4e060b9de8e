import type { FastifyReply } from 'fastify';

const HEADER = 'x-warnings';
const SEPARATOR = ' | ';
const MAX_CHARACTERS = 2_000;

/** Warnings as one header: visible ASCII only, so that nothing a caller sent can end the header or begin another. */
export function warningsHeader(warnings: string[]): string | undefined {
  const text = warnings.join(SEPARATOR).replaceAll(/[^ -~]+/g, '?');
  return text === '' ? undefined : text.slice(0, MAX_CHARACTERS);
}

/** Adds to what the answer's header warns of already; nothing stands there twice. */
export function addWarnings(reply: Pick<FastifyReply, 'getHeader' | 'header'>, warnings: string[]): void {
  const said = reply.getHeader(HEADER);
  const earlier = typeof said === 'string' ? said.split(SEPARATOR) : [];
  const more = warningsHeader(warnings)?.split(SEPARATOR) ?? [];
  const all = warningsHeader([...new Set([...earlier, ...more])]);
  if (all) reply.header(HEADER, all);
}
