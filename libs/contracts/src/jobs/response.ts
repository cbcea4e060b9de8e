import { z } from 'zod';
import { ChatTaskSchema } from './chat.ts';

/** A chat as OpenAI's responses have it: its messages are the request's own, and what stands before them is found when it begins. */
export const ResponseTaskSchema = ChatTaskSchema.extend({
  /** Stand before all messages, and are no part of what was said. */
  instructions: z.string().optional(),
  /** Id of the response that this one goes on from. */
  previousResponse: z.string().optional(),
  background: z.boolean(),
});
export type ResponseTask = z.infer<typeof ResponseTaskSchema>;
