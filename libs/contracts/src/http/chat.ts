import { z } from 'zod';
import { FinishReasonSchema } from '../jobs/chat.ts';
import { LIMITS } from '../limits.ts';
import { RetentionWishSchema } from '../retention.ts';
import { countCharacters, NameSchema, numberBetween } from './common.ts';
import { MetadataSchema } from './submissions.ts';

const TextPartSchema = z.object({ type: z.literal('text'), text: z.string() });

/** `developer` is OpenAI's newer word for `system`. Content may come as one text or as text parts. */
const ChatRequestMessageSchema = z
  .object({
    role: z.enum(['system', 'developer', 'user', 'assistant']),
    content: z.union([z.string(), z.array(TextPartSchema).min(1)], {
      error: 'content must be a text or a list of text parts; images, audio and files are not supported',
    }),
    name: z.string().optional(),
  })
  .superRefine((message, context) => {
    const text = chatContentText(message.content);
    const length = countCharacters(text);
    if (text.trim() === '' || length > LIMITS.chatMessageCharacters) {
      context.addIssue({
        code: 'custom',
        path: ['content'],
        message: `message must have 1 to ${LIMITS.chatMessageCharacters} characters, this one has ${text.trim() === '' ? 0 : length}`,
      });
    }
  });

/** The plain text of a message's content. */
export function chatContentText(content: string | { text: string }[]): string {
  return typeof content === 'string' ? content : content.map((part) => part.text).join('');
}

/** Loose, so that options which AIGolos does not have can be told of instead of vanishing. */
export const ChatCompletionRequestSchema = z
  .looseObject({
    model: NameSchema,
    messages: z.array(ChatRequestMessageSchema).min(1).max(LIMITS.chatMessages),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
    max_tokens: z.number().int().min(1).nullish(),
    max_completion_tokens: z.number().int().min(1).nullish(),
    temperature: numberBetween('temperature', 0, 2).nullish(),
    top_p: numberBetween('top_p', 0, 1).nullish(),
    stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(LIMITS.stopSequences)]).nullish(),
    seed: z.number().int().nullish(),
    response_format: z
      .object({ type: z.literal('text', { error: 'must be "text": answers held to a schema are not supported yet' }) })
      .nullish(),
    modalities: z.array(z.literal('text', { error: 'must be "text"; POST /v1/audio/speech speaks it' })).nullish(),
    n: z.literal(1, { error: 'n must be 1: one answer a request' }).nullish(),
    conversation: z
      .union([z.string().min(1), z.object({ id: z.string().min(1) })])
      .nullish()
      .describe('Id of a conversation, or "new" to begin one; its last 10 messages go before these (an AIGolos field)'),
    metadata: MetadataSchema.nullish().describe('Up to 16 pairs, kept with the job'),
    retention: RetentionWishSchema.nullish().describe('How long what is kept, as in X-Retention (an AIGolos field)'),
  })
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
        message: z.object({ role: z.literal('assistant'), content: z.string(), refusal: z.null() }),
        logprobs: z.null(),
        finish_reason: FinishReasonSchema,
      }),
    ),
    usage: ChatUsageSchema,
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
        delta: z.object({ role: z.literal('assistant').optional(), content: z.string().optional() }),
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
