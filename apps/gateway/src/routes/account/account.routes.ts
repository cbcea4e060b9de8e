import {
  AccountPatchSchema,
  type AccountView,
  AccountViewSchema,
  assertGranted,
  NotFoundError,
  type RetentionOffer,
  resolveRetention,
} from '@aigolos/contracts';
import type { AccountRecord, Database } from '@aigolos/db';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { unixSeconds } from '../../answers/job-view.ts';
import { problems } from '../shared-responses.ts';

export interface AccountRoutesDeps {
  access: Pick<Database['access'], 'accountById' | 'setRetention'>;
  retention: RetentionOffer;
}

/** What the account of the caller's key has set. */
export const accountRoutes: FastifyPluginAsyncZod<AccountRoutesDeps> = async (app, { access, retention: offer }) => {
  const config = { access: 'user' } as const;
  const response = { 200: AccountViewSchema, ...problems };

  app.get(
    '/v1/account',
    { config, schema: { tags: ['account'], summary: 'Your account', response } },
    async ({ account }) => toView(await access.accountById(account), offer),
  );

  app.patch(
    '/v1/account',
    {
      config,
      schema: {
        tags: ['account'],
        summary: 'Set how long your data is kept where a request does not say',
        body: AccountPatchSchema,
        response,
      },
    },
    async ({ account, body: { retention } }) => {
      assertGranted(retention, offer.maxSeconds);
      return toView(await access.setRetention(account, retention), offer);
    },
  );
};

function toView(account: AccountRecord | undefined, offer: RetentionOffer): AccountView {
  if (!account) throw new NotFoundError('This account has been deleted.', { code: 'ACCOUNT_NOT_FOUND' });
  const { _id: id, username, createdAt, retention = {} } = account;
  return {
    id,
    object: 'account',
    username,
    created_at: unixSeconds(createdAt),
    retention,
    effective_retention: resolveRetention(offer, { account: retention }),
  };
}
