import { z } from 'zod';

/** What OpenAI can add to items on request. */
const INCLUDABLES = [
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
] as const;

const IncludableSchema = z.enum(INCLUDABLES);
const IncludeSchema = z
  .union([IncludableSchema, z.array(IncludableSchema)], { error: `must be some of ${INCLUDABLES.join(', ')}` })
  .optional()
  .describe('Ignored with a warning: no item here has any of it');

/** OpenAI's clients write a list with brackets, its description without. */
export const IncludeQuerySchema = z.object({ include: IncludeSchema, 'include[]': IncludeSchema });
export type IncludeQuery = z.infer<typeof IncludeQuerySchema>;
