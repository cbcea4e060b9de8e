import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { checkMessage } from './chat.ts';
import { countCharacters } from './common.ts';
import { IncludeQuerySchema } from './include.ts';
import { ItemPageQuerySchema, listOf } from './item-lists.ts';

const ITEM_ERROR =
  'must be a message of text, a function_call or a function_call_output; images, audio, files and references are not supported';

const InputTextPartSchema = z.object({ type: z.enum(['input_text', 'output_text', 'text']), text: z.string() });
const InputContentSchema = z.union([z.string(), z.array(InputTextPartSchema).min(1).max(LIMITS.textParts)]);

/** The plain text of an item's content. */
export function itemText(content: z.infer<typeof InputContentSchema>): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('');
}

const InputMessageSchema = z.object({
  type: z.literal('message').optional(),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: InputContentSchema.superRefine((content, context) => checkMessage(itemText(content), context)),
});
const InputCallSchema = z.object({
  type: z.literal('function_call'),
  call_id: z.string().min(1),
  name: z.string().min(1),
  arguments: z.string().max(LIMITS.toolCharacters),
});
const InputOutputSchema = z.object({
  type: z.literal('function_call_output'),
  call_id: z.string().min(1),
  output: InputContentSchema.refine((output) => countCharacters(itemText(output)) <= LIMITS.toolCharacters, {
    error: `must have at most ${LIMITS.toolCharacters} characters`,
  }),
});

/** Something that is said, called or given back, in OpenAI's shape. Output items can be sent again as they came. */
export const InputItemSchema = z.union([InputMessageSchema, InputCallSchema, InputOutputSchema], {
  error: whatIsWrong,
});
export type InputItem = z.infer<typeof InputItemSchema>;

/** A union tells only that nothing fits; a message that is too long does. */
export function whatIsWrong({ errors = [] }: { errors?: { message: string }[][] }): string {
  const own = errors.flat().find(({ message }) => message.startsWith('message must have'));
  return own?.message ?? ITEM_ERROR;
}

const OutputTextSchema = z.object({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.never()),
  logprobs: z.array(z.never()),
});
const StatusSchema = z.enum(['in_progress', 'completed', 'incomplete']);

/** An item as it is kept. */
export const ItemViewSchema = z
  .union([
    z.object({
      id: z.string(),
      type: z.literal('message'),
      status: StatusSchema,
      role: z.enum(['user', 'assistant', 'system']),
      content: z.array(z.union([OutputTextSchema, z.object({ type: z.literal('input_text'), text: z.string() })])),
    }),
    z.object({
      id: z.string(),
      type: z.literal('function_call'),
      status: StatusSchema,
      call_id: z.string(),
      name: z.string(),
      arguments: z.string(),
    }),
    z.object({
      id: z.string(),
      type: z.literal('function_call_output'),
      status: StatusSchema,
      call_id: z.string(),
      output: z.string(),
    }),
  ])
  .meta({ id: 'Item' });
export type ItemView = z.infer<typeof ItemViewSchema>;

/** Which page of a list of items. */
export const ItemListQuerySchema = ItemPageQuerySchema.extend(IncludeQuerySchema.shape);

export const ItemListSchema = listOf(ItemViewSchema).meta({ id: 'ItemList' });
