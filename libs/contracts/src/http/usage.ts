import { z } from 'zod';
import { METERED_KINDS } from '../jobs/amounts.ts';
import { openEnum } from './common.ts';

/** Widths of the parts that a time is shown in, in seconds; how many are shown where nothing is said, and at most. */
export const BUCKETS = {
  '1m': { seconds: 60, usual: 60, most: 1_440 },
  '1h': { seconds: 3_600, usual: 24, most: 168 },
  '1d': { seconds: 86_400, usual: 7, most: 31 },
} as const;
export type BucketWidth = keyof typeof BUCKETS;

const widths = Object.keys(BUCKETS) as [BucketWidth, ...BucketWidth[]];
const MOST_SECONDS = 253_402_300_799;

const unixTime = (name: string) =>
  z.coerce
    .number({ error: `${name} must be Unix seconds, a whole number` })
    .int(`${name} must be Unix seconds, a whole number`)
    .min(0)
    .max(MOST_SECONDS);

/** One or several values; OpenAI's clients write a list's name with brackets, its description without. */
const several = <Item extends z.ZodType<string>>(item: Item) => z.union([item, z.array(item).max(100)]).optional();
const ids = several(z.string().min(1).max(200));

const window = {
  start_time: unixTime('start_time').describe('Unix seconds, inclusive; the bucket that it lies in is the first'),
  end_time: unixTime('end_time').optional().describe('Unix seconds, exclusive; now where absent'),
  bucket_width: z.enum(widths).default('1d').describe('Of UTC minutes, hours or days'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(BUCKETS['1m'].most)
    .optional()
    .describe('How many buckets: of days 7 and at most 31, of hours 24 and 168, of minutes 60 and 1,440'),
  page: z
    .string()
    .regex(/^page_\d{1,12}$/, 'page must be the next_page of an answer, such as "page_1767225600"')
    .optional()
    .describe('The `next_page` of the answer before'),
};

const page = <Result extends z.ZodType>(result: Result) =>
  z.object({
    object: z.literal('page'),
    data: z.array(
      z.object({
        object: z.literal('bucket'),
        start_time: z.number().int(),
        end_time: z.number().int(),
        results: z.array(result).describe('None where nothing was used'),
      }),
    ),
    has_more: z.boolean(),
    next_page: z.string().nullable(),
  });

/** What our own route tells usage apart by. */
export const USAGE_GROUPS = ['model', 'api_key', 'kind', 'account'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];
const usageGroups = several(z.enum(USAGE_GROUPS)).describe('What it is told apart by');

export const UsageQuerySchema = z.object({
  ...window,
  start_time: window.start_time
    .optional()
    .describe('Unix seconds, inclusive; where absent as many buckets back as are shown'),
  group_by: usageGroups,
  'group_by[]': usageGroups,
});
export type UsageQuery = z.infer<typeof UsageQuerySchema>;

const sum = (what: string) => z.number().describe(what);

/** What was used in a time. What was answered from an earlier result used nothing, and is not counted. */
export const UsagePageSchema = page(
  z.object({
    object: z.literal('usage'),
    requests: sum('Jobs that made something; a voice turn is one, a batch as many as its lines'),
    audio_seconds: sum('Of audio that was heard'),
    characters: sum('That were spoken'),
    input_tokens: sum('That models read'),
    output_tokens: sum('That models wrote'),
    compute_seconds: sum('That engines took'),
    model: z.string().nullable().describe('Null where not grouped by it'),
    api_key_id: z.string().nullable(),
    kind: openEnum(METERED_KINDS).nullable(),
    account: z.string().nullable(),
  }),
).meta({ id: 'UsagePage' });
export type UsagePage = z.infer<typeof UsagePageSchema>;

const ORGANIZATION_GROUPS = ['project_id', 'user_id', 'api_key_id', 'model', 'batch', 'service_tier'] as const;
export type OrganizationGroup = (typeof ORGANIZATION_GROUPS)[number];
const organizationGroups = several(z.enum(ORGANIZATION_GROUPS)).describe(
  'A user is an account; there are no projects and tiers, so these are null',
);
const isBatch = z.enum(['true', 'false']).optional().describe('Of completions: lines of batches alone, or all others');

export const OrganizationUsageQuerySchema = z.object({
  ...window,
  group_by: organizationGroups,
  'group_by[]': organizationGroups,
  project_ids: ids.describe('Refused: there are no projects here'),
  'project_ids[]': ids,
  user_ids: ids.describe("Ids of accounts; others than one's own need a key of the role admin"),
  'user_ids[]': ids,
  api_key_ids: ids,
  'api_key_ids[]': ids,
  models: ids,
  'models[]': ids,
  batch: isBatch,
});
export type OrganizationUsageQuery = z.infer<typeof OrganizationUsageQuerySchema>;

const grouped = {
  num_model_requests: z.number().int(),
  project_id: z.string().nullable(),
  user_id: z.string().nullable(),
  api_key_id: z.string().nullable(),
  model: z.string().nullable(),
};

/** OpenAI's three kinds of usage that there is here. */
const ORGANIZATION_USAGE = {
  completions: z.object({
    object: z.literal('organization.usage.completions.result'),
    input_tokens: z.number().int(),
    output_tokens: z.number().int(),
    input_cached_tokens: z.number().int(),
    ...grouped,
    batch: z.boolean().nullable(),
    service_tier: z.string().nullable(),
  }),
  audio_speeches: z.object({
    object: z.literal('organization.usage.audio_speeches.result'),
    characters: z.number().int(),
    ...grouped,
  }),
  audio_transcriptions: z.object({
    object: z.literal('organization.usage.audio_transcriptions.result'),
    seconds: z.number().int(),
    ...grouped,
  }),
} as const;
export type UsageService = keyof typeof ORGANIZATION_USAGE;

export const ORGANIZATION_USAGE_PAGES = {
  completions: page(ORGANIZATION_USAGE.completions).meta({ id: 'CompletionsUsagePage' }),
  audio_speeches: page(ORGANIZATION_USAGE.audio_speeches).meta({ id: 'SpeechesUsagePage' }),
  audio_transcriptions: page(ORGANIZATION_USAGE.audio_transcriptions).meta({ id: 'TranscriptionsUsagePage' }),
} as const;
