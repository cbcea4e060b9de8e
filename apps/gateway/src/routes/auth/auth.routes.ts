import { AuthError } from '@aigolos/contracts';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_TABLE } from '../../errors/error-table.ts';
import { toAIGolosError } from '../../errors/to-aigolos-error.ts';
import { CALLBACK_PATH, createIdentityProvider, PendingSignInSchema } from '../../sign-in/identity-provider.ts';
import { type PageSessions, SIGN_IN_PATH } from '../../sign-in/page-sessions.ts';
import { returnUrl } from '../../sign-in/return-url.ts';
import { createSealedCookie } from '../../sign-in/sealed-cookie.ts';
import type { SignInSettings } from '../../sign-in/sign-in-config.ts';
import { notBegunHere } from '../../sign-in/sign-in-errors.ts';
import { htmlPage, type Page } from './auth-pages.ts';

export interface AuthRoutesDeps {
  settings: SignInSettings;
  sessions: PageSessions;
}

export const SIGN_OUT_PATH = '/auth/logout';
/** For somebody who has to find their phone on the way. */
const PENDING_SECONDS = 600;

/** Signing in to operators' pages with an identity provider, and out again. What goes wrong is told in a page. */
export const authRoutes: FastifyPluginAsync<AuthRoutesDeps> = async (app, { settings, sessions }) => {
  const options = { config: { access: 'public' }, schema: { hide: true } } as const;
  const provider = createIdentityProvider(settings);
  const pendingCookie = createSealedCookie(
    { name: 'aigolos_sign_in', seconds: PENDING_SECONDS, schema: PendingSignInSchema },
    settings,
  );
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
  app.setErrorHandler(sendErrorPage);
  // A form without fields has a body without anything in it.
  app.addContentTypeParser('application/x-www-form-urlencoded', async () => undefined);

  app.get<{ Querystring: { return_to?: unknown } }>(SIGN_IN_PATH, options, async ({ query }, reply) => {
    const wanted = typeof query.return_to === 'string' ? query.return_to : undefined;
    const { url, pending } = await provider.begin();
    await pendingCookie.write(reply, { ...pending, returnTo: returnUrl(wanted, settings.publicUrl).href });
    return reply.redirect(url.href);
  });

  app.get(CALLBACK_PATH, options, async (request, reply) => {
    const pending = await pendingCookie.read(request);
    pendingCookie.clear(reply);
    if (!pending) throw notBegunHere();
    const { subject, isOperator } = await provider.finish(new URL(request.url, settings.publicUrl), pending);
    request.log.info({ subject, isOperator }, 'signed in');
    if (!isOperator) {
      throw new AuthError('You have signed in, but not as an operator of this installation.', {
        code: 'ACCESS_DENIED',
      });
    }
    await sessions.begin(reply, subject);
    return reply.redirect(pending.returnTo);
  });

  app.get(SIGN_OUT_PATH, options, async (_request, reply) => {
    return sendPage(reply, {
      title: 'Sign out',
      message: 'This browser will have to sign in again to open operators’ pages.',
      button: { text: 'Sign out', action: SIGN_OUT_PATH },
    });
  });

  app.post(SIGN_OUT_PATH, options, async (request, reply) => {
    // The cookie does not come with a form of another site, which can sign nobody out therefore.
    if (await sessions.isOpen(request)) sessions.end(reply);
    const elsewhere = await provider.signOutUrl().catch(() => undefined);
    return sendPage(reply, {
      title: 'Signed out',
      message: 'The identity provider may still know you, and sign you in again without a question.',
      links: [
        ...(elsewhere ? [{ text: 'Sign out there, too', href: elsewhere.href }] : []),
        { text: 'Sign in again', href: SIGN_IN_PATH },
      ],
    });
  });
};

function sendErrorPage(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toAIGolosError(thrown);
  const { status } = ERROR_TABLE[error.code];
  request.log[status >= 500 ? 'warn' : 'info']({ code: error.code, err: error.cause }, error.message);
  return sendPage(reply.code(status), {
    title: 'Not signed in',
    message: error.message,
    links: [
      { text: 'Try again', href: SIGN_IN_PATH },
      { text: 'Use an operator’s key instead: any user name, the key as password', href: '/admin/queues?key' },
    ],
  });
}

function sendPage(reply: FastifyReply, page: Page): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(htmlPage(page));
}
