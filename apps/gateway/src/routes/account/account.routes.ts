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
import { toApiKeyView } from '../api-keys/api-key-view.ts';
import { problems } from '../shared-responses.ts';

export interface AccountRoutesDeps {
  access: Pick<Database['access'], 'accountById' | 'findOwnedKey' | 'setRetention'>;
  retention: RetentionOffer;
}

/** What the account of the caller's key has set. */
export const accountRoutes: FastifyPluginAsyncZod<AccountRoutesDeps> = async (app, { access, retention: offer }) => {
  const response = { 200: AccountViewSchema, ...problems };

  app.get(
    '/v1/account',
    {
      config: { access: 'user', scope: 'any' },
      schema: { tags: ['account'], summary: 'Your account, and the key that you use', response },
    },
    async ({ account, apiKey }) => view(await access.accountById(account), apiKey),
  );

  app.patch(
    '/v1/account',
    {
      config: { access: 'user', scope: 'account' },
      schema: {
        tags: ['account'],
        summary: 'Set how long your data is kept where a request does not say',
        body: AccountPatchSchema,
        response,
      },
    },
    async ({ account, apiKey, body: { retention } }) => {
      assertGranted(retention, offer.maxSeconds);
      return view(await access.setRetention(account, retention), apiKey);
    },
  );

  async function view(account: AccountRecord | undefined, apiKey: string): Promise<AccountView> {
    const key = account && (await access.findOwnedKey(account._id, apiKey));
    if (!key) throw new NotFoundError('This account has been deleted.', { code: 'ACCOUNT_NOT_FOUND' });
    const { _id: id, username, role = 'user', createdAt, retention = {} } = account;
    return {
      id,
      object: 'account',
      username,
      role,
      created_at: unixSeconds(createdAt),
      retention,
      effective_retention: resolveRetention(offer, { account: retention }),
      api_key: toApiKeyView(key),
    };
  }
};
