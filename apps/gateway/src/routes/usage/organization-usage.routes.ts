import {
  ORGANIZATION_USAGE_PAGES,
  type OrganizationGroup,
  type OrganizationUsageQuery,
  OrganizationUsageQuerySchema,
  type UsageService,
  ValidationError,
} from '@aigolos/contracts';
import type { UsageField, UsageSum } from '@aigolos/db';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { openAIErrors } from '../shared-responses.ts';
import type { UsageRoutesDeps } from './usage.routes.ts';
import { listOf, type UsageBuckets, usageBuckets } from './usage.service.ts';

const FIELDS: Partial<Record<OrganizationGroup, UsageField>> = {
  user_id: 'account',
  api_key_id: 'apiKey',
  model: 'model',
  batch: 'batch',
};

/** OpenAI's routes for the same: an organization is an installation, a user an account. */
export const organizationUsageRoutes: FastifyPluginAsyncZod<UsageRoutesDeps> = async (app, { usage }) => {
  const config = { access: 'user', scope: 'usage' } as const;

  function answer<Result>(
    { account, isOperator, query }: Asked,
    service: UsageService,
    toResult: (sum: UsageSum) => Result,
  ): Promise<UsageBuckets<Result>> {
    const groups = listOf(query.group_by, query['group_by[]']) ?? [];
    return usageBuckets(usage, {
      window: query,
      filter: { service, ...filterOf(query), ...accountsOf(query, isOperator ? undefined : account) },
      by: groups.map((group) => FIELDS[group]).filter((field) => field !== undefined),
      toResult,
    });
  }

  app.get('/v1/organization/usage/completions', { config, schema: schemaOf('completions') }, (request) =>
    answer(request, 'completions', toCompletions),
  );
  app.get('/v1/organization/usage/audio_speeches', { config, schema: schemaOf('audio_speeches') }, (request) =>
    answer(request, 'audio_speeches', toSpeeches),
  );
  app.get(
    '/v1/organization/usage/audio_transcriptions',
    { config, schema: schemaOf('audio_transcriptions') },
    (request) => answer(request, 'audio_transcriptions', toTranscriptions),
  );
};

type Asked = Pick<FastifyRequest, 'account' | 'isOperator'> & { query: OrganizationUsageQuery };

function schemaOf<Service extends UsageService>(service: Service) {
  return {
    tags: ['account'],
    summary: `What was used of ${service.replace('_', ' ')}, as OpenAI tells it`,
    querystring: OrganizationUsageQuerySchema,
    response: { 200: ORGANIZATION_USAGE_PAGES[service], ...openAIErrors },
  };
}

function filterOf(query: OrganizationUsageQuery) {
  if (listOf(query.project_ids, query['project_ids[]'])) {
    throw new ValidationError('project_ids: there are no projects here; leave it out.', { param: 'project_ids' });
  }
  const { batch } = query;
  return {
    apiKeys: listOf(query.api_key_ids, query['api_key_ids[]']),
    models: listOf(query.models, query['models[]']),
    ...(batch !== undefined && { batch: batch === 'true' }),
  };
}

/** Whoever may see one account only finds nothing of others. */
function accountsOf(query: OrganizationUsageQuery, only: string | undefined): { accounts?: string[] } {
  const asked = listOf(query.user_ids, query['user_ids[]']);
  if (only === undefined) return asked ? { accounts: asked } : {};
  return { accounts: asked && !asked.includes(only) ? [] : [only] };
}

const grouped = ({ rows, account, apiKey, model }: UsageSum) => ({
  num_model_requests: rows,
  project_id: null,
  user_id: account ?? null,
  api_key_id: apiKey ?? null,
  model: model ?? null,
});

function toCompletions(sum: UsageSum) {
  return {
    object: 'organization.usage.completions.result' as const,
    input_tokens: sum.inputTokens,
    output_tokens: sum.outputTokens,
    input_cached_tokens: 0,
    ...grouped(sum),
    batch: sum.batch ?? null,
    service_tier: null,
  };
}

function toSpeeches(sum: UsageSum) {
  const object = 'organization.usage.audio_speeches.result' as const;
  return { object, characters: sum.characters, ...grouped(sum) };
}

function toTranscriptions(sum: UsageSum) {
  const object = 'organization.usage.audio_transcriptions.result' as const;
  return { object, seconds: Math.round(sum.audioSeconds), ...grouped(sum) };
}
