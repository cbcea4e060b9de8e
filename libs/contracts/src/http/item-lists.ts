import { z } from 'zod';

/** Which page of a list in OpenAI's shape. */
export const ItemPageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().optional().describe('Id of the last one of the page before'),
  order: z.enum(['asc', 'desc'], { error: 'must be asc or desc' }).optional(),
});
export type ItemPageQuery = z.infer<typeof ItemPageQuerySchema>;

/** A page of a list in OpenAI's shape. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    object: z.literal('list'),
    data: z.array(item),
    first_id: z.string().describe('Empty where nothing is on the page'),
    last_id: z.string().describe('Empty where nothing is on the page'),
    has_more: z.boolean(),
  });
}
