import { z } from 'zod';

export const ChatRoleSchema = z.enum(['system', 'user', 'assistant', 'tool']);
export type ChatRole = z.infer<typeof ChatRoleSchema>;

/** A function that a model calls; what it calls it with is JSON text, as the model wrote it. */
export const ToolCallSchema = z.object({ id: z.string(), name: z.string(), arguments: z.string() });
export type ToolCall = z.infer<typeof ToolCallSchema>;

export const ChatMessageSchema = z.object({
  role: ChatRoleSchema,
  content: z.string(),
  /** Of an assistant that called functions, beside or instead of text. */
  toolCalls: z.array(ToolCallSchema).optional(),
  /** Of a tool: the call that this is the outcome of. */
  toolCallId: z.string().optional(),
});
export type ChatMessage = z.infer<typeof ChatMessageSchema>;

/** Schemas are kept as JSON text: their keys (`$ref`, names with dots) are no field names of a database. */
const JsonTextSchema = z.string();

/** A function that the model may call. */
export const ChatToolSchema = z.object({
  name: z.string(),
  description: z.string().optional(),
  /** JSON Schema of the object that it is called with. */
  parameters: JsonTextSchema,
});
export type ChatTool = z.infer<typeof ChatToolSchema>;

/** Whether the model calls a function: as it likes, one of them, or this one. */
export const ToolChoiceSchema = z.union([z.enum(['auto', 'required']), z.object({ name: z.string() })]);
export type ToolChoice = z.infer<typeof ToolChoiceSchema>;

/** What the text of an answer is held to. */
export const AnswerFormatSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('json_object') }),
  z.object({ type: z.literal('json_schema'), name: z.string(), schema: JsonTextSchema }),
]);
export type AnswerFormat = z.infer<typeof AnswerFormatSchema>;

/** What worker-llm is asked to do. The conversation's last messages are read when the turn begins, not when it was sent. */
export const ChatTaskSchema = z.object({
  model: z.string(),
  messages: z.array(ChatMessageSchema),
  maxTokens: z.number().int().optional(),
  temperature: z.number().optional(),
  topP: z.number().optional(),
  stop: z.array(z.string()),
  seed: z.number().int().optional(),
  /** Plain text where absent. */
  format: AnswerFormatSchema.optional(),
  /** Those that may be called; with them always a choice. */
  tools: z.array(ChatToolSchema).optional(),
  toolChoice: ToolChoiceSchema.optional(),
  /** May one answer call several functions? The engine's to say where absent. */
  parallelToolCalls: z.boolean().optional(),
  /** Id of the conversation that this is a turn of. */
  conversation: z.string().optional(),
  /** Is it listed among the stored completions? */
  store: z.boolean().optional(),
});
export type ChatTask = z.infer<typeof ChatTaskSchema>;

export const FinishReasonSchema = z.enum(['stop', 'length', 'tool_calls']);
export type FinishReason = z.infer<typeof FinishReasonSchema>;

export const ChatResultSchema = z.object({
  text: z.string(),
  finishReason: FinishReasonSchema,
  toolCalls: z.array(ToolCallSchema).optional(),
});
export type ChatResult = z.infer<typeof ChatResultSchema>;
