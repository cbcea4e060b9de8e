import type { Database } from '@aigolos/db';
import { type Logger, messageOf, startPeriodic } from '@aigolos/runtime';

export interface LeadershipOptions {
  leases: Database['leases'];
  name: string;
  holder: string;
  /**
   * Runs while this process leads; must end soon after the signal. Where it fails it is run again. The fence grows with each
   * change of leader: a write that carries it can be refused where a newer leader has written.
   */
  lead: (signal: AbortSignal, fence: number) => Promise<void>;
  /** A follower asks three times in this time, so a leader that was killed is followed within four thirds of it. */
  leaseMs: number;
  log: Logger;
}

export interface Leadership {
  readonly role: 'leader' | 'follower';
  stop(): Promise<void>;
}

interface Term {
  fence: number;
  stop: AbortController;
  ended: Promise<void>;
  /** Ends the term before the lease runs out. */
  expiry: NodeJS.Timeout;
}

const RENEWALS_PER_LEASE = 3;
/** This part of the lease is left to a leader that cannot renew for stopping what it does. */
const TIME_TO_STOP = 1 / 6;

/**
 * Lets one process at a time do what only one may. A leader that cannot renew in time stops before its lease runs out, so
 * that the next one begins after it ended.
 */
export function startLeadership(options: LeadershipOptions): Leadership {
  const { leases, name, holder, lead, leaseMs, log } = options;
  let term: Term | undefined;

  async function endTerm(): Promise<void> {
    const ending = term;
    if (!ending) return;
    ending.stop.abort();
    await ending.ended;
  }

  /** By a timer of its own: the renewal that would notice may be hanging. */
  function stopBefore(expiry: number, stop: AbortController): NodeJS.Timeout {
    const inTimeMs = expiry - leaseMs * TIME_TO_STOP - Date.now();
    return setTimeout(() => {
      log.warn({ lease: name }, 'the lease could not be renewed in time, no longer leading');
      stop.abort();
    }, inTimeMs);
  }

  function beginTerm(fence: number, expiry: number): void {
    log.info({ lease: name, fence }, 'leading');
    const stop = new AbortController();
    const begun: Term = {
      fence,
      stop,
      expiry: stopBefore(expiry, stop),
      ended: lead(stop.signal, fence)
        .catch((error: unknown) => {
          if (!stop.signal.aborted) log.error({ lease: name, err: error }, 'leading failed');
        })
        .finally(() => {
          clearTimeout(begun.expiry);
          // A term that ended by itself begins anew at the next renewal.
          if (term === begun) term = undefined;
        }),
    };
    term = begun;
  }

  const election = startPeriodic({
    intervalMs: leaseMs / RENEWALS_PER_LEASE,
    async run() {
      // While what must stop is slow to end the lease is not renewed for it: somebody else may lead sooner.
      if (term?.stop.signal.aborted) await term.ended;
      const expiry = Date.now() + leaseMs;
      const lease = await leases.acquire(name, holder, leaseMs);
      if (term && term.fence === lease?.fence) {
        clearTimeout(term.expiry);
        if (!term.stop.signal.aborted) term.expiry = stopBefore(expiry, term.stop);
        return;
      }
      if (term) log.warn({ lease: name }, 'somebody else leads by now');
      await endTerm();
      if (lease) beginTerm(lease.fence, expiry);
    },
    onError: (error) => log.warn({ lease: name, reason: messageOf(error) }, 'the lease could not be renewed'),
  });

  return {
    get role() {
      return term && !term.stop.signal.aborted ? 'leader' : 'follower';
    },
    async stop() {
      await election.stop();
      await endTerm();
      await leases.release(name, holder).catch(() => {});
    },
  };
}
