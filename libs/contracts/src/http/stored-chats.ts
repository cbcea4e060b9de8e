import { z } from 'zod';
import { ChatRoleSchema } from '../jobs/chat.ts';
import { ChatCompletionSchema, ChatToolCallViewSchema } from './chat.ts';
import { deletedBy } from './erasures.ts';
import { ItemPageQuerySchema, listOf } from './item-lists.ts';
import { MetadataSchema } from './submissions.ts';

/** Loose: `metadata[key]=value`, which may come several times, is read beside it. */
export const StoredChatListQuerySchema = z.looseObject({
  ...ItemPageQuerySchema.shape,
  order: ItemPageQuerySchema.shape.order.default('asc'),
  model: z.string().optional(),
});

export const StoredChatListSchema = listOf(ChatCompletionSchema).meta({ id: 'ChatCompletionList' });

export const StoredMessageSchema = z.object({
  id: z.string(),
  role: ChatRoleSchema,
  content: z.string().nullable(),
  refusal: z.null(),
  content_parts: z.null(),
  tool_calls: z.array(ChatToolCallViewSchema).optional(),
  tool_call_id: z.string().optional(),
});
export type StoredMessage = z.infer<typeof StoredMessageSchema>;

export const StoredMessageListSchema = listOf(StoredMessageSchema).meta({ id: 'ChatCompletionMessageList' });

export const MetadataUpdateSchema = z.object({ metadata: MetadataSchema });

export const StoredChatDeletedSchema = z
  .object({ id: z.string(), object: z.literal('chat.completion.deleted'), deleted: z.literal(true), ...deletedBy })
  .meta({ id: 'ChatCompletionDeleted' });
