import { setTimeout as sleep } from 'node:timers/promises';
import { type AIGolosError, AuthError, isFinal, UnavailableError } from '@aigolos/contracts';
import { type AnyJobRecord, isDatabaseUnavailable } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { FastifyReply } from 'fastify';

const DATABASE_RETRY_MS = 500;

/** Aborts when the client has gone, when its key is refused, and when the gateway stops: nobody waits on for any of them. */
export function heldOpenSignal(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  return AbortSignal.any([clientGone(reply), reply.request.keyRefused, stopping]);
}

/** Why such a signal ends an answer before its job: the refusal of the key, or that the gateway stops. */
export function whyCut({ reason }: AbortSignal, { _id: id }: Pick<AnyJobRecord, '_id'>): AIGolosError {
  if (reason instanceof AuthError) return reason;
  return new UnavailableError(
    `This server is stopping. Job ${id} goes on without it: GET /v1/jobs/${id}/result has its result when it is done.`,
  );
}

/** Aborts when the client has gone; also after a whole answer, when nobody should listen to it any more. */
export function clientGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (raw.destroyed) gone.abort();
  else raw.once('close', () => gone.abort());
  return gone.signal;
}

/** The job once it has ended, or as it is when the signal aborts. A database that is away for a while is waited for. */
export async function waitPatiently(
  jobs: Pick<Jobs, 'waitForEnd'>,
  job: AnyJobRecord,
  signal: AbortSignal,
): Promise<AnyJobRecord> {
  let seen = job;
  for (let known: AnyJobRecord | undefined = job; ; known = undefined) {
    try {
      seen = await jobs.waitForEnd(job.account, job._id, { signal, seen: known });
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
    }
    if (signal.aborted || isFinal(seen.status)) return seen;
    await sleep(DATABASE_RETRY_MS, undefined, { signal }).catch(() => {});
  }
}
