import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { RetentionWishSchema } from '../retention.ts';
import { checkMessage } from './chat.ts';
import { NameSchema, numberBetween } from './common.ts';
import { deletedBy } from './erasures.ts';
import { IncludeQuerySchema } from './include.ts';
import { InputItemSchema, ItemViewSchema, whatIsWrong } from './items.ts';
import { JsonObjectSchema } from './json-object.ts';
import { MetadataSchema } from './submissions.ts';
import { checkToolChoice, FunctionSchema, NAME_ERROR, NAME_OF_FUNCTION, TYPE_OF_TOOL } from './tools.ts';

const FormatSchema = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text') }),
    z.object({ type: z.literal('json_object') }),
    z.object({
      type: z.literal('json_schema'),
      name: z.string().regex(NAME_OF_FUNCTION, { error: NAME_ERROR }),
      description: z.string().nullish(),
      schema: JsonObjectSchema,
      strict: z.boolean().nullish(),
    }),
  ],
  { error: 'must be text, json_object or json_schema' },
);
const ChoiceSchema = z.union(
  [z.enum(['none', 'auto', 'required']), z.object({ type: z.literal('function'), name: z.string() })],
  { error: 'must be none, auto, required, or {"type": "function", "name": …}' },
);

/** Loose, so that options which AIGolos does not have can be told of instead of vanishing. */
export const ResponseRequestSchema = z
  .looseObject({
    model: NameSchema,
    input: z.union(
      [
        z.string().superRefine((text, context) => checkMessage(text, context)),
        z.array(InputItemSchema).min(1).max(LIMITS.chatMessages),
      ],
      { error: ({ input, ...issue }) => (input === undefined ? 'is required' : `each item ${whatIsWrong(issue)}`) },
    ),
    instructions: z
      .string()
      .superRefine((text, context) => checkMessage(text, context))
      .nullish(),
    previous_response_id: z.string().nullish(),
    conversation: z.union([z.string().min(1), z.object({ id: z.string().min(1) })]).nullish(),
    background: z.boolean().nullish(),
    store: z.boolean().nullish(),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_obfuscation: z.boolean().optional() }).nullish(),
    text: z.object({ format: FormatSchema.nullish(), verbosity: z.string().nullish() }).nullish(),
    tools: z
      .array(FunctionSchema.safeExtend({ type: z.literal('function', TYPE_OF_TOOL) }))
      .max(LIMITS.tools)
      .nullish(),
    tool_choice: ChoiceSchema.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    max_output_tokens: z.number().int().min(1).nullish(),
    temperature: numberBetween('temperature', 0, 2).nullish(),
    top_p: numberBetween('top_p', 0, 1).nullish(),
    metadata: MetadataSchema.nullish(),
    retention: RetentionWishSchema.nullish().describe('How long what is kept, as in X-Retention (an AIGolos field)'),
  })
  .superRefine(({ tools, tool_choice: choice, ...request }, context) => {
    const names = (tools ?? []).map(({ name }) => name);
    checkToolChoice(names, typeof choice === 'object' ? choice?.name : choice, context);
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (request.conversation && request.previous_response_id)
      refuse('previous_response_id', 'previous_response_id and conversation exclude each other');
    if (request.background && request.store === false)
      refuse('background', 'background needs store, by which the response is found again');
  })
  .meta({ id: 'ResponseRequest' });
export type ResponseRequest = z.infer<typeof ResponseRequestSchema>;

export const ResponseViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('response'),
    created_at: z.number().int(),
    completed_at: z.number().int().nullable(),
    status: z.enum(['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled']),
    background: z.boolean(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    incomplete_details: z.object({ reason: z.literal('max_output_tokens') }).nullable(),
    instructions: z.string().nullable(),
    max_output_tokens: z.number().int().nullable(),
    model: z.string(),
    output: z.array(ItemViewSchema),
    parallel_tool_calls: z.boolean(),
    previous_response_id: z.string().nullable(),
    conversation: z.object({ id: z.string() }).nullable(),
    store: z.boolean(),
    temperature: z.number().nullable(),
    top_p: z.number().nullable(),
    text: z.object({ format: z.looseObject({ type: z.string() }) }),
    tool_choice: ChoiceSchema,
    tools: z.array(z.looseObject({ type: z.literal('function'), name: z.string() })),
    truncation: z.literal('auto').describe('The oldest messages are left out, with a warning, where not all fit'),
    usage: z
      .object({
        input_tokens: z.number().int(),
        input_tokens_details: z.object({ cached_tokens: z.number().int(), cache_write_tokens: z.number().int() }),
        output_tokens: z.number().int(),
        output_tokens_details: z.object({ reasoning_tokens: z.number().int() }),
        total_tokens: z.number().int(),
      })
      .nullable(),
    metadata: z.record(z.string(), z.string()),
    expires_at: z.number().int().nullable(),
  })
  .meta({ id: 'Response' });
export type ResponseView = z.infer<typeof ResponseViewSchema>;

export const ResponseEventSchema = z
  .looseObject({ type: z.string(), sequence_number: z.number().int() })
  .meta({ id: 'ResponseEvent' });
export type ResponseEvent = z.infer<typeof ResponseEventSchema>;

export const ResponseQuerySchema = z.object({
  stream: z.stringbool().default(false).describe('Its events, from the first one, or after `starting_after`'),
  starting_after: z.coerce.number().int().min(0).optional().describe('`sequence_number` of the last event that came'),
  include_obfuscation: z.stringbool().optional().describe('Ignored with a warning: events are never padded'),
  ...IncludeQuerySchema.shape,
});

export const ResponseDeletedSchema = z
  .object({ id: z.string(), object: z.literal('response'), deleted: z.literal(true), ...deletedBy })
  .meta({ id: 'ResponseDeleted' });
