import { z } from 'zod';
import { deletedBy } from './erasures.ts';

/** A conversation, in OpenAI's shape and with what AIGolos adds. Times are Unix seconds. */
export const ConversationViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('conversation'),
    created_at: z.number().int(),
    metadata: z.record(z.string(), z.string()),
    updated_at: z.number().int(),
    message_count: z.number().int(),
    expires_at: z.number().int().nullable(),
  })
  .meta({ id: 'Conversation' });
export type ConversationView = z.infer<typeof ConversationViewSchema>;

export const ConversationDeletedSchema = z
  .object({ id: z.string(), object: z.literal('conversation.deleted'), deleted: z.literal(true), ...deletedBy })
  .meta({ id: 'ConversationDeleted' });
