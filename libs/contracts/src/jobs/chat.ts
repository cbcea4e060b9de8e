import { z } from 'zod';

export const ChatRoleSchema = z.enum(['system', 'user', 'assistant']);
export type ChatRole = z.infer<typeof ChatRoleSchema>;

export const ChatMessageSchema = z.object({ role: ChatRoleSchema, content: z.string() });
export type ChatMessage = z.infer<typeof ChatMessageSchema>;

/** What worker-llm is asked to do. The conversation's last messages are read when the turn begins, not when it was sent. */
export const ChatTaskSchema = z.object({
  model: z.string(),
  messages: z.array(ChatMessageSchema),
  maxTokens: z.number().int().optional(),
  temperature: z.number().optional(),
  topP: z.number().optional(),
  stop: z.array(z.string()),
  seed: z.number().int().optional(),
  /** Id of the conversation that this is a turn of. */
  conversation: z.string().optional(),
});
export type ChatTask = z.infer<typeof ChatTaskSchema>;

export const FinishReasonSchema = z.enum(['stop', 'length']);
export type FinishReason = z.infer<typeof FinishReasonSchema>;

export const ChatResultSchema = z.object({ text: z.string(), finishReason: FinishReasonSchema });
export type ChatResult = z.infer<typeof ChatResultSchema>;
