import type { AuthError } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import { startPeriodic } from '@aigolos/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { keyRevoked, whyRefused } from './grants.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Aborts when the caller's key is refused while this request is under way; the reason is the error to answer with. */
    readonly keyRefused: AbortSignal;
    /** Goes on without its key: the erasure of an account takes that away before it is done. */
    outliveKey(): void;
  }
}

export interface OpenRequestsDeps {
  access: Pick<Database['access'], 'holdersOf'>;
}

/** With what it takes to ask, and the time to answer, an open request ends well within five seconds. */
const LOOK_EVERY_MS = 2_000;
/** Who is not told by then is cut off. */
const ANSWER_WITHIN_MS = 1_000;
const KEYS_AT_ONCE = 1_000;
const NEVER = new AbortController().signal;

interface OpenRequest {
  key: string;
  /** Made where somebody listens. */
  refused?: AbortController;
  refuse(error: AuthError): void;
}

/**
 * Looks now and then at the keys of requests that are under way, in every gateway: what is open with a key that was revoked,
 * has expired, or whose account was disabled, is ended with an error, or cut off.
 */
export const openRequests = fp<OpenRequestsDeps>(async (app, { access }) => {
  const open = new Set<OpenRequest>();
  const ofRequest = new WeakMap<FastifyRequest, OpenRequest>();

  app.decorateRequest('keyRefused', {
    getter() {
      const entry = ofRequest.get(this);
      if (!entry) return NEVER;
      entry.refused ??= new AbortController();
      return entry.refused.signal;
    },
  });
  app.decorateRequest('outliveKey', function outliveKey() {
    const entry = ofRequest.get(this);
    if (entry) open.delete(entry);
  });
  app.addHook('onRequest', async (request, reply) => {
    if (request.apiKey === '') return;
    const entry: OpenRequest = {
      key: request.apiKey,
      refuse(error) {
        entry.refused?.abort(error);
        setTimeout(() => cutOff(request, reply), ANSWER_WITHIN_MS).unref();
      },
    };
    open.add(entry);
    ofRequest.set(request, entry);
    reply.raw.once('close', () => open.delete(entry));
  });

  async function look(): Promise<void> {
    const seen = [...open];
    const keys = [...new Set(seen.map(({ key }) => key))];
    for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
      const some = new Set(keys.slice(at, at + KEYS_AT_ONCE));
      const holders = await access.holdersOf([...some]);
      for (const entry of seen.filter(({ key }) => some.has(key))) {
        const holder = holders.get(entry.key);
        const error = holder ? whyRefused(holder) : keyRevoked(`API key ${entry.key}`);
        // It may have ended, or been let go, meanwhile.
        if (error && open.delete(entry)) entry.refuse(error);
      }
    }
  }

  const looking = startPeriodic({
    intervalMs: LOOK_EVERY_MS,
    run: look,
    onError: (error) => app.log.warn({ err: error }, 'the keys of open requests could not be looked at'),
  });
  app.addHook('onClose', () => looking.stop());
});

/** An answer that is not whole, or one to a request that is still being sent. */
function cutOff({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (!reply.raw.writableFinished || !raw.complete) raw.socket.destroy();
}
