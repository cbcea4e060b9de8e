import type { IncludeQuery } from '@aigolos/contracts';
import type { FastifyReply } from 'fastify';
import { checkOptions } from './unsupported-options.ts';
import { addWarnings } from './warnings-header.ts';

/** Warns, in the answer's header, of what a query wants to have included, as nothing here has any of it. */
export function warnOfInclude(
  reply: FastifyReply,
  {
    include,
    'include[]': list = include,
    include_obfuscation,
  }: IncludeQuery & { include_obfuscation?: boolean | undefined },
): void {
  addWarnings(reply, checkOptions({ include: list, include_obfuscation }, { known: {}, refused: {} }));
}
