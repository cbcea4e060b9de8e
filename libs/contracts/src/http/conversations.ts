import { z } from 'zod';
import { deletedBy } from './erasures.ts';
import { InputItemSchema } from './items.ts';
import { MetadataSchema } from './submissions.ts';

/** A conversation, in OpenAI's shape and with what AIGolos adds. Times are Unix seconds. */
export const ConversationViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('conversation'),
    created_at: z.number().int(),
    metadata: z.record(z.string(), z.string()),
    updated_at: z.number().int(),
    message_count: z
      .number()
      .int()
      .describe('Messages that stand in it, calls and their outputs too; not those that were deleted'),
    expires_at: z.number().int().nullable(),
  })
  .meta({ id: 'Conversation' });
export type ConversationView = z.infer<typeof ConversationViewSchema>;

const NEW_ITEMS = 20;
const NewItemsSchema = z.array(InputItemSchema).max(NEW_ITEMS);

export const ConversationRequestSchema = z
  .object({ items: NewItemsSchema.nullish(), metadata: MetadataSchema.nullish() })
  .meta({ id: 'ConversationRequest' });
export type ConversationRequest = z.infer<typeof ConversationRequestSchema>;

export const ItemsRequestSchema = z.object({ items: NewItemsSchema.min(1) }).meta({ id: 'ItemsRequest' });

export const ConversationDeletedSchema = z
  .object({ id: z.string(), object: z.literal('conversation.deleted'), deleted: z.literal(true), ...deletedBy })
  .meta({ id: 'ConversationDeleted' });
