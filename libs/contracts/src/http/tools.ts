import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { JsonObjectSchema } from './json-object.ts';

export const NAME_OF_FUNCTION = /^[a-zA-Z0-9_-]{1,64}$/;
export const NAME_ERROR = 'must have 1 to 64 letters, digits, _ or -';
export const TYPE_OF_TOOL = { error: 'must be "function": AIGolos has no tools of its own' };

/** A function that the model may call, in OpenAI's shape. `strict` is always held to, where the engine can. */
export const FunctionSchema = z
  .object({
    name: z.string().regex(NAME_OF_FUNCTION, { error: NAME_ERROR }),
    description: z.string().nullish(),
    parameters: JsonObjectSchema.nullish().describe('JSON Schema of an object; none where absent'),
    strict: z.boolean().nullish(),
  })
  .refine((tool) => JSON.stringify(tool).length <= LIMITS.toolCharacters, {
    error: `must have at most ${LIMITS.toolCharacters} characters of JSON`,
  });
export type FunctionOffer = z.infer<typeof FunctionSchema>;

/** Tells of names that stand twice, and of a choice that there is nothing to choose from for. */
export function checkToolChoice(
  names: string[],
  choice: string | null | undefined,
  context: z.core.$RefinementCtx,
): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    context.addIssue({ code: 'custom', path: ['tools'], message: `tools has two functions named ${twice}` });
  if (choice === null || choice === undefined || choice === 'none' || names.includes(choice)) return;
  const missing =
    choice !== 'auto' && choice !== 'required'
      ? `tool_choice names ${choice}, which tools does not have`
      : names.length === 0 && 'tool_choice is only for requests with tools';
  if (missing) context.addIssue({ code: 'custom', path: ['tool_choice'], message: missing });
}
