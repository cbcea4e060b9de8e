import {
  AccountChangeSchema,
  AccountListQuerySchema,
  AccountListSchema,
  AccountRequestSchema,
  AuthError,
  ConflictError,
  type ListedAccount,
  ListedAccountSchema,
  NotFoundError,
} from '@aigolos/contracts';
import type { AccountRecord, Database } from '@aigolos/db';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { pageOf } from '../../answers/item-pages.ts';
import { unixSeconds } from '../../answers/job-view.ts';
import { problems } from '../shared-responses.ts';

export interface AccountsRoutesDeps {
  access: Pick<Database['access'], 'accountById' | 'changeAccount' | 'createAccount' | 'listAccounts'>;
}

const params = z.object({ id: z.string() });

/** All accounts, for operators. Their keys are made and revoked under /v1/api_keys, and they are erased under /v1/erasures. */
export const accountsRoutes: FastifyPluginAsyncZod<AccountsRoutesDeps> = async (app, { access }) => {
  const config = { access: 'admin', scope: 'admin' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['accounts'],
    summary,
    ...fields,
  });
  const one = { 200: ListedAccountSchema, ...problems };

  app.post(
    '/v1/accounts',
    {
      config,
      schema: schema('Make an account', {
        body: AccountRequestSchema,
        response: { 201: ListedAccountSchema, ...problems },
      }),
    },
    async ({ body: { username, role } }, reply) => {
      const account = await access.createAccount(username, role);
      if (!account) {
        throw new ConflictError(`There is an account ${username} already.`, {
          code: 'ACCOUNT_EXISTS',
          param: 'username',
        });
      }
      return reply.code(201).header('location', `/v1/accounts/${account._id}`).send(toView(account));
    },
  );

  app.get(
    '/v1/accounts',
    {
      config,
      schema: schema('List accounts, newest first', {
        querystring: AccountListQuerySchema,
        response: { 200: AccountListSchema, ...problems },
      }),
    },
    async ({ query: { limit, after } }) => {
      const last = after === undefined ? undefined : there(after, await access.accountById(after));
      const found = await access.listAccounts({ limit: limit + 1, after: last });
      return pageOf(found.slice(0, limit).map(toView), found.length > limit);
    },
  );

  app.get(
    '/v1/accounts/:id',
    { config, schema: schema('One account', { params, response: one }) },
    async ({ params: { id } }) => toView(there(id, await access.accountById(id))),
  );

  app.patch(
    '/v1/accounts/:id',
    {
      config,
      schema: schema('Give an account another role, disable it, or enable it again', {
        params,
        body: AccountChangeSchema,
        response: one,
      }),
    },
    async ({ account, params: { id }, body }) => {
      if (id === account && (body.disabled || (body.role ?? 'admin') !== 'admin')) throw lockedOut();
      return toView(there(id, await access.changeAccount(id, body)));
    },
  );
};

function there(id: string, account: AccountRecord | undefined): AccountRecord {
  if (account) return account;
  throw new NotFoundError(`There is no account ${id}.`, { code: 'ACCOUNT_NOT_FOUND' });
}

/** An installation whose last operator is gone can only be mended at a shell. */
function lockedOut(): AuthError {
  return new AuthError('An operator cannot disable the own account or take its role away: have another one do it.', {
    code: 'ACCESS_DENIED',
  });
}

function toView({ _id: id, username, role = 'user', createdAt, disabledAt }: AccountRecord): ListedAccount {
  return {
    id,
    object: 'account',
    username,
    role,
    created_at: unixSeconds(createdAt),
    disabled_at: disabledAt ? unixSeconds(disabledAt) : null,
  };
}
