import { z } from 'zod';
import { RetentionPolicySchema, RetentionWishSchema } from '../retention.ts';

/** The account that the caller's key belongs to. */
export const AccountViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('account'),
    username: z.string(),
    created_at: z.number().int(),
    retention: RetentionPolicySchema.partial().describe('What the account has set itself'),
    effective_retention: RetentionPolicySchema.describe('What a job gets whose request says nothing of retention'),
  })
  .meta({ id: 'Account' });
export type AccountView = z.infer<typeof AccountViewSchema>;

/** The new settings stand in place of the old ones; what they leave out follows the installation. */
export const AccountPatchSchema = z
  .strictObject(
    { retention: RetentionWishSchema },
    { error: 'the body must be an object with the field retention alone' },
  )
  .meta({ id: 'AccountPatch' });
