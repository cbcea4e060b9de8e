import { type UsageGroup, type UsagePage, UsagePageSchema, UsageQuerySchema } from '@aigolos/contracts';
import type { Database, UsageField, UsageSum } from '@aigolos/db';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { problems } from '../shared-responses.ts';
import { listOf, usageBuckets } from './usage.service.ts';

export interface UsageRoutesDeps {
  usage: Pick<Database['usage'], 'sums'>;
}

const FIELDS: Record<UsageGroup, UsageField> = { model: 'model', api_key: 'apiKey', kind: 'kind', account: 'account' };

/** What jobs have used: of the caller's account, with an operator's key of all accounts. */
export const usageRoutes: FastifyPluginAsyncZod<UsageRoutesDeps> = async (app, { usage }) => {
  app.get(
    '/v1/usage',
    {
      config: { access: 'user', scope: 'usage' },
      schema: {
        tags: ['account'],
        summary:
          'What your account has used by time, model, key and kind; with a key of the role admin what all have used',
        querystring: UsageQuerySchema,
        response: { 200: UsagePageSchema, ...problems },
      },
    },
    async ({ account, isOperator, query: { group_by, 'group_by[]': groups, ...window } }) =>
      usageBuckets(usage, {
        window,
        filter: isOperator ? {} : { accounts: [account] },
        by: (listOf(group_by, groups) ?? []).map((group) => FIELDS[group]),
        toResult,
      }),
  );
};

type Result = UsagePage['data'][number]['results'][number];

function toResult(sum: UsageSum): Result {
  return {
    object: 'usage',
    requests: sum.requests,
    audio_seconds: rounded(sum.audioSeconds),
    characters: sum.characters,
    input_tokens: sum.inputTokens,
    output_tokens: sum.outputTokens,
    compute_seconds: rounded(sum.computeMs / 1_000),
    model: sum.model ?? null,
    api_key_id: sum.apiKey ?? null,
    kind: sum.kind ?? null,
    account: sum.account ?? null,
  };
}

/** To thousandths: sums of fractions have digits that nobody measured. */
function rounded(number: number): number {
  return Math.round(number * 1_000) / 1_000;
}
