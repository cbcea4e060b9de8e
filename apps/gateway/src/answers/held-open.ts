import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal } from '@aigolos/contracts';
import { type AnyJobRecord, isDatabaseUnavailable } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { FastifyReply } from 'fastify';

const DATABASE_RETRY_MS = 500;

/** Aborts when the client has gone, and when the gateway stops: nobody waits on for either. */
export function heldOpenSignal(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  // Also emitted after a whole answer, when nobody listens to this signal any more.
  reply.raw.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, stopping]);
}

/** The job once it has ended, or as it is when the signal aborts. A database that is away for a while is waited for. */
export async function waitPatiently(jobs: Jobs, job: AnyJobRecord, signal: AbortSignal): Promise<AnyJobRecord> {
  let seen = job;
  for (;;) {
    try {
      seen = await jobs.waitForEnd(job.account, job._id, { signal });
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
    }
    if (signal.aborted || isFinal(seen.status)) return seen;
    await sleep(DATABASE_RETRY_MS, undefined, { signal }).catch(() => {});
  }
}
