import {
  AuthError,
  ErasureListQuerySchema,
  ErasureListSchema,
  ErasureRequestSchema,
  ErasureViewSchema,
  JwksSchema,
  NotFoundError,
} from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { heldOpenSignal } from '../../answers/held-open.ts';
import { pageOf } from '../../answers/item-pages.ts';
import { parsePrefer, preferenceApplied } from '../../answers/prefer.ts';
import { addWarnings } from '../../answers/warnings-header.ts';
import { problems } from '../shared-responses.ts';
import { ERASURE_WAIT_MS } from './deletion.ts';
import { type ErasureTermsDeps, leftOut, readErasureTerms } from './erasure-terms.ts';
import { toErasureView } from './erasure-view.ts';
import type { Erasures } from './erasures.service.ts';

export interface ErasureRoutesDeps extends ErasureTermsDeps {
  erasures: Erasures;
  db: Pick<Database, 'access' | 'erasures'>;
  stopping: AbortSignal;
}

const params = z.object({ id: z.string() });
const accountQuery = {
  account: z.string().optional().describe("Whose erasures, where not the caller's; needs an operator's key"),
};

export const erasureRoutes: FastifyPluginAsyncZod<ErasureRoutesDeps> = async (app, deps) => {
  const { erasures, db, stopping } = deps;
  const config = { access: 'user', scope: 'erasures' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['erasures'],
    summary,
    ...fields,
  });

  app.post(
    '/v1/erasures',
    {
      config,
      schema: schema('Erase a job, a conversation, or everything that an account has', {
        body: ErasureRequestSchema,
        response: { 200: ErasureViewSchema, 202: ErasureViewSchema, ...problems },
      }),
    },
    async (request, reply) => {
      const { scope, username } = request.body;
      const account = username === undefined ? request.account : await accountOf(username, request);
      if (scope.type === 'account' && account === request.account) request.outliveKey();
      const preference = parsePrefer(request.headers.prefer);
      const applied = preferenceApplied(preference);
      if (applied) reply.header('preference-applied', applied);
      const { respondAsync, waitSeconds = respondAsync ? 0 : ERASURE_WAIT_MS / 1_000 } = preference;
      const until = AbortSignal.any([heldOpenSignal(reply, stopping), AbortSignal.timeout(waitSeconds * 1_000)]);
      const asked = await readErasureTerms(deps, account, request);
      const erasure = await erasures.erase(account, { scope, ...asked.terms }, until);
      request.keyRefused.throwIfAborted();
      addWarnings(reply, leftOut(asked, erasure));
      reply.header('location', `/v1/erasures/${erasure._id}`);
      return reply.code(erasure.result ? 200 : 202).send(await toErasureView(db, erasure));
    },
  );

  app.get(
    '/v1/erasures',
    {
      config,
      schema: schema('List erasures, newest first', {
        querystring: ErasureListQuerySchema.extend(accountQuery),
        response: { 200: ErasureListSchema, ...problems },
      }),
    },
    async (request) => {
      const { account = request.account, limit, after } = request.query;
      if (account !== request.account) assertOperator(request);
      const page = await erasures.list({ account, limit, after });
      const data = await Promise.all(page.erasures.map((erasure) => toErasureView(db, erasure)));
      return pageOf(data, page.hasMore);
    },
  );

  app.get(
    '/v1/erasures/:id',
    {
      config,
      schema: schema('One erasure: how far it is, and its receipt', {
        params,
        response: { 200: ErasureViewSchema, ...problems },
      }),
    },
    // An account that is gone has no key any more: an operator's reads its erasures too.
    async ({ params: { id }, account, isOperator }) =>
      toErasureView(db, await erasures.get(id, isOperator ? undefined : account)),
  );

  app.get(
    '/.well-known/jwks.json',
    {
      config: { access: 'public' },
      schema: schema('The key by which receipts are verified', { response: { 200: JwksSchema, ...problems } }),
    },
    async () => erasures.keys(),
  );

  async function accountOf(username: string, caller: { isOperator: boolean }): Promise<string> {
    assertOperator(caller);
    const account = await db.access.findAccount(username);
    if (!account) throw new NotFoundError(`There is no account ${username}.`, { code: 'ACCOUNT_NOT_FOUND' });
    return account._id;
  }
};

function assertOperator({ isOperator }: { isOperator: boolean }): void {
  if (isOperator) return;
  throw new AuthError("Another account's data need an operator's key (role admin).", { code: 'ACCESS_DENIED' });
}
