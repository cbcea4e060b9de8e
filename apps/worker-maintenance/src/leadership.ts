import type { Database } from '@aigolos/db';
import { type Logger, messageOf, startPeriodic } from '@aigolos/runtime';

export interface LeadershipOptions {
  leases: Database['leases'];
  name: string;
  holder: string;
  /** Runs while this process leads; must end soon after the signal. Where it fails it is run again. */
  lead: (signal: AbortSignal) => Promise<void>;
  log: Logger;
  /** For tests. */
  timing?: { leaseMs: number; renewMs: number };
}

const TIMING = { leaseMs: 9_000, renewMs: 3_000 };

/**
 * Lets one process at a time do what only one may. A leader that cannot renew in time stops before its lease runs out, so
 * that the next one begins after it ended; take-over is within the lease.
 */
export function startLeadership(options: LeadershipOptions): { stop: () => Promise<void> } {
  const { leases, name, holder, lead, log, timing: { leaseMs, renewMs } = TIMING } = options;
  let term: { stop: AbortController; ended: Promise<void>; validUntil: number } | undefined;

  async function endTerm(): Promise<void> {
    const ending = term;
    term = undefined;
    ending?.stop.abort();
    await ending?.ended;
  }

  const election = startPeriodic({
    intervalMs: renewMs,
    async run() {
      const asked = Date.now();
      const lease = await leases.acquire(name, holder, leaseMs).catch((error: unknown) => {
        log.warn({ lease: name, reason: messageOf(error) }, 'the lease could not be renewed');
        return undefined;
      });
      if (lease) {
        if (term) {
          term.validUntil = asked + leaseMs;
          return;
        }
        log.info({ lease: name, fence: lease.fence }, 'leading');
        const stop = new AbortController();
        const ended = lead(stop.signal)
          .catch((error: unknown) => {
            if (!stop.signal.aborted) log.error({ lease: name, err: error }, 'leading failed');
          })
          .finally(() => {
            // A term that ended by itself begins anew at the next renewal.
            if (term?.stop === stop) term = undefined;
          });
        term = { stop, ended, validUntil: asked + leaseMs };
      } else if (term && Date.now() + renewMs > term.validUntil) {
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
