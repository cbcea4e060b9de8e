import type { Database } from '@aigolos/db';
import { type Logger, messageOf, startPeriodic } from '@aigolos/runtime';

export interface LeadershipOptions {
  leases: Database['leases'];
  name: string;
  holder: string;
  /** Runs while this process leads; must end soon after the signal. */
  lead: (signal: AbortSignal) => Promise<void>;
  log: Logger;
}

const LEASE_MS = 9_000;
const RENEW_MS = 3_000;

/**
 * Lets one process at a time do what only one may. A leader that cannot renew in time stops before its lease runs out, so
 * that the next one begins after it ended; take-over is within the lease.
 */
export function startLeadership({ leases, name, holder, lead, log }: LeadershipOptions): { stop: () => Promise<void> } {
  let term: { stop: AbortController; ended: Promise<void>; validUntil: number } | undefined;

  async function endTerm(): Promise<void> {
    const ending = term;
    term = undefined;
    ending?.stop.abort();
    await ending?.ended;
  }

  const election = startPeriodic({
    intervalMs: RENEW_MS,
    async run() {
      const asked = Date.now();
      const lease = await leases.acquire(name, holder, LEASE_MS).catch((error: unknown) => {
        log.warn({ lease: name, reason: messageOf(error) }, 'the lease could not be renewed');
        return undefined;
      });
      if (lease) {
        if (term) {
          term.validUntil = asked + LEASE_MS;
          return;
        }
        log.info({ lease: name, fence: lease.fence }, 'leading');
        const stop = new AbortController();
        const ended = lead(stop.signal).catch((error: unknown) => {
          if (!stop.signal.aborted) log.error({ lease: name, err: error }, 'leading failed');
        });
        term = { stop, ended, validUntil: asked + LEASE_MS };
      } else if (term && Date.now() + RENEW_MS > term.validUntil) {
        await endTerm();
        log.warn({ lease: name }, 'no longer leading');
      }
    },
    onError: (error) => log.error({ lease: name, err: error }, 'the election failed'),
  });

  return {
    async stop() {
      await election.stop();
      await endTerm();
      await leases.release(name, holder).catch(() => {});
    },
  };
}
