import { z } from 'zod';
import { FinishReasonSchema } from '../jobs/chat.ts';
import { LIMITS } from '../limits.ts';
import { RetentionWishSchema } from '../retention.ts';
import { countCharacters, NameSchema, numberBetween } from './common.ts';
import { JsonObjectSchema } from './json-object.ts';
import { MetadataSchema } from './submissions.ts';
import { checkToolChoice, FunctionSchema, NAME_ERROR, NAME_OF_FUNCTION, TYPE_OF_TOOL } from './tools.ts';

/** A call of a function in OpenAI's shape for chats. */
export const ChatToolCallViewSchema = z.object({
  id: z.string(),
  type: z.literal('function'),
  function: z.object({ name: z.string(), arguments: z.string().max(LIMITS.toolCharacters) }),
});
export type ChatToolCallView = z.infer<typeof ChatToolCallViewSchema>;

const TextPartSchema = z.object({ type: z.literal('text'), text: z.string() });
const ContentSchema = z.union([z.string(), z.array(TextPartSchema).min(1).max(LIMITS.textParts)], {
  error: `content must be a text or a list of 1 to ${LIMITS.textParts} text parts; images, audio and files are not supported`,
});

/** `developer` is OpenAI's newer word for `system`. Content may come as one text or as text parts. */
const SaidMessageSchema = z.object({
  role: z.enum(['system', 'developer', 'user']),
  content: ContentSchema.superRefine(checkMessage),
  name: z.string().optional(),
});

const AssistantMessageSchema = z
  .object({
    role: z.literal('assistant'),
    content: ContentSchema.nullish(),
    refusal: z.null().optional(),
    name: z.string().optional(),
    tool_calls: z.array(ChatToolCallViewSchema).min(1).max(LIMITS.tools).optional(),
  })
  .superRefine(({ content, tool_calls }, context) => {
    const text = chatContentText(content);
    if (tool_calls && text.trim() === '') return;
    checkMessage(text, context, ['content']);
  });

const ToolMessageSchema = z.object({
  role: z.literal('tool'),
  content: ContentSchema.refine((content) => countCharacters(chatContentText(content)) <= LIMITS.toolCharacters, {
    error: `what a tool gave back must have at most ${LIMITS.toolCharacters} characters`,
  }),
  tool_call_id: z.string({ error: 'must be the id of the call in tool_calls that this is the outcome of' }),
});

const ChatRequestMessageSchema = z.discriminatedUnion('role', [
  SaidMessageSchema,
  AssistantMessageSchema,
  ToolMessageSchema,
]);
export type ChatRequestMessage = z.infer<typeof ChatRequestMessageSchema>;

type Content = z.infer<typeof ContentSchema>;

/** The plain text of a message's content. */
export function chatContentText(content: Content | null | undefined): string {
  return typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join('');
}

/** Tells where a message is empty or too long. */
export function checkMessage(content: Content, context: z.core.$RefinementCtx, path: string[] = []): void {
  const text = chatContentText(content);
  const length = countCharacters(text);
  if (text.trim() !== '' && length <= LIMITS.chatMessageCharacters) return;
  context.addIssue({
    code: 'custom',
    path,
    message: `message must have 1 to ${LIMITS.chatMessageCharacters} characters, this one has ${text.trim() === '' ? 0 : length}`,
  });
}

const ChatToolSelectionSchema = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
  ],
  { error: 'must be none, auto, required, or {"type": "function", "function": {"name": …}}' },
);

const ChatFormatSchema = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text') }),
    z.object({ type: z.literal('json_object') }),
    z.object({
      type: z.literal('json_schema'),
      json_schema: z.object({
        name: z.string().regex(NAME_OF_FUNCTION, { error: NAME_ERROR }),
        description: z.string().nullish(),
        schema: JsonObjectSchema.default({}),
        strict: z.boolean().nullish(),
      }),
    }),
  ],
  { error: 'must be text, json_object or json_schema' },
);

/** Loose, so that options which AIGolos does not have can be told of instead of vanishing. */
export const ChatCompletionRequestSchema = z
  .looseObject({
    model: NameSchema,
    messages: z.array(ChatRequestMessageSchema).min(1).max(LIMITS.chatMessages),
    stream: z.boolean().nullish(),
    stream_options: z
      .object({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
      .nullish(),
    max_tokens: z.number().int().min(1).nullish(),
    max_completion_tokens: z.number().int().min(1).nullish(),
    temperature: numberBetween('temperature', 0, 2).nullish(),
    top_p: numberBetween('top_p', 0, 1).nullish(),
    stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(LIMITS.stopSequences)]).nullish(),
    seed: z.number().int().nullish(),
    response_format: ChatFormatSchema.nullish(),
    tools: z
      .array(z.object({ type: z.literal('function', TYPE_OF_TOOL), function: FunctionSchema }))
      .max(LIMITS.tools)
      .nullish(),
    tool_choice: ChatToolSelectionSchema.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    modalities: z.array(z.literal('text', { error: 'must be "text"; POST /v1/audio/speech speaks it' })).nullish(),
    n: z.literal(1, { error: 'n must be 1: one answer a request' }).nullish(),
    conversation: z
      .union([z.string().min(1), z.object({ id: z.string().min(1) })])
      .nullish()
      .describe('Id of a conversation, or "new" to begin one; its last 10 messages go before these (an AIGolos field)'),
    metadata: MetadataSchema.nullish().describe('Up to 16 pairs, kept with the job'),
    store: z.boolean().nullish().describe('Is it listed by GET /v1/chat/completions? It is kept as a job all the same'),
    retention: RetentionWishSchema.nullish().describe('How long what is kept, as in X-Retention (an AIGolos field)'),
  })
  .superRefine(({ tools, tool_choice: choice }, context) =>
    checkToolChoice(
      (tools ?? []).map((tool) => tool.function.name),
      typeof choice === 'object' ? choice?.function.name : choice,
      context,
    ),
  )
  .meta({ id: 'ChatCompletionRequest' });
export type ChatCompletionRequest = z.infer<typeof ChatCompletionRequestSchema>;

export const ChatUsageSchema = z.object({
  prompt_tokens: z.number().int(),
  completion_tokens: z.number().int(),
  total_tokens: z.number().int(),
});

export const ChatCompletionSchema = z
  .object({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.number().int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.number().int(),
        message: z.object({
          role: z.literal('assistant'),
          content: z.string().nullable(),
          refusal: z.null(),
          tool_calls: z.array(ChatToolCallViewSchema).optional(),
        }),
        logprobs: z.null(),
        finish_reason: FinishReasonSchema,
      }),
    ),
    usage: ChatUsageSchema,
    metadata: z.record(z.string(), z.string()).optional().describe('Of stored completions'),
    conversation: z.object({ id: z.string() }).optional(),
    expires_at: z.number().int().nullable().optional(),
  })
  .meta({ id: 'ChatCompletion' });
export type ChatCompletion = z.infer<typeof ChatCompletionSchema>;

export const ChatCompletionChunkSchema = z
  .object({
    id: z.string(),
    object: z.literal('chat.completion.chunk'),
    created: z.number().int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.number().int(),
        delta: z.object({
          role: z.literal('assistant').optional(),
          content: z.string().optional(),
          tool_calls: z.array(ChatToolCallViewSchema.extend({ index: z.number().int() })).optional(),
        }),
        logprobs: z.null(),
        finish_reason: FinishReasonSchema.nullable(),
      }),
    ),
    usage: ChatUsageSchema.nullish(),
    conversation: z.object({ id: z.string() }).optional(),
    expires_at: z.number().int().nullable().optional(),
  })
  .meta({ id: 'ChatCompletionChunk' });
export type ChatCompletionChunk = z.infer<typeof ChatCompletionChunkSchema>;
