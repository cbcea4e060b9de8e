import type { FastifyReply } from 'fastify';
import { heldOpenSignal } from '../../answers/held-open.ts';
import type { Erasure } from './erasures.service.ts';

/** What takes longer goes on without its caller. */
export const ERASURE_WAIT_MS = 60_000;

/** What is told of a thing that is gone: 202 where some of what belonged to it is not yet. */
export interface Deletion {
  status: 200 | 202;
  fields: { deleted: true; erasure: string; receipt: string | null };
}

/** Has a thing erased while its client waits for that. */
export async function awaitDeletion(
  reply: FastifyReply,
  stopping: AbortSignal,
  erase: (until: AbortSignal) => Promise<Erasure>,
): Promise<Deletion> {
  const until = AbortSignal.any([heldOpenSignal(reply, stopping), AbortSignal.timeout(ERASURE_WAIT_MS)]);
  const { _id: erasure, result } = await erase(until);
  reply.request.keyRefused.throwIfAborted();
  return { status: result ? 200 : 202, fields: { deleted: true, erasure, receipt: result?.receipt ?? null } };
}
