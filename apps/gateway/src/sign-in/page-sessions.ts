import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { createSealedCookie } from './sealed-cookie.ts';
import type { SignInSettings } from './sign-in-config.ts';

export const SIGN_IN_PATH = '/auth/login';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Is it a page for browsers, which an operator who has signed in may read without a key? */
    page?: true;
  }
}

/** Operators who have signed in. A session opens pages, belongs to no account, and stands in for a key nowhere else. */
export interface PageSessions {
  begin(reply: FastifyReply, subject: string): Promise<void>;
  /** Does the request come from a browser in which somebody has signed in? */
  isOpen(request: FastifyRequest): Promise<boolean>;
  end(reply: FastifyReply): void;
  /**
   * Lets a request without a key in, where it reads a page and carries a session. A browser that opens a page without one is sent to sign in,
   * unless the query has `key`, which asks for the browser's own dialogue for keys.
   */
  admit(request: FastifyRequest, reply: FastifyReply): Promise<boolean>;
}

const READING = new Set(['GET', 'HEAD']);

export function createPageSessions(settings: SignInSettings): PageSessions {
  const cookie = createSealedCookie(
    { name: 'aigolos_session', seconds: settings.sessionSeconds, schema: z.object({ sub: z.string() }) },
    settings,
  );

  async function isOpen(request: FastifyRequest): Promise<boolean> {
    return (await cookie.read(request)) !== undefined;
  }

  return {
    isOpen,
    begin: (reply, subject) => cookie.write(reply, { sub: subject }),
    end: (reply) => cookie.clear(reply),
    async admit(request, reply) {
      const { routeOptions, method, query, headers, url } = request;
      if (!routeOptions.config.page || !READING.has(method)) return false;
      if (await isOpen(request)) return true;
      if (Object.hasOwn(query as object, 'key')) return false;
      // A page that is open already would ask for a key in a dialogue of the browser's, whenever its session ends.
      reply.header('www-authenticate', 'Bearer realm="AIGolos"');
      if (headers.accept?.includes('text/html')) {
        // By the name at which the provider will send it back, which alone gets the cookies of that sign-in.
        const signIn = new URL(`${SIGN_IN_PATH}?return_to=${encodeURIComponent(url)}`, settings.publicUrl);
        reply.header('cache-control', 'no-store').redirect(signIn.href);
      }
      return false;
    },
  };
}
