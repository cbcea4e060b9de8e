import { z } from 'zod';
import { ROLES } from '../access.ts';
import { RetentionPolicySchema, RetentionWishSchema } from '../retention.ts';
import { ApiKeyViewSchema, RoleSchema } from './api-keys.ts';
import { openEnum } from './common.ts';

const identity = {
  id: z.string(),
  object: z.literal('account'),
  username: z.string(),
  role: openEnum(ROLES),
  created_at: z.number().int(),
};

/** The account that the caller's key belongs to. */
export const AccountViewSchema = z
  .object({
    ...identity,
    retention: RetentionPolicySchema.partial().describe('What the account has set itself'),
    effective_retention: RetentionPolicySchema.describe('What a job gets whose request says nothing of retention'),
    api_key: ApiKeyViewSchema.describe('The key that this was asked with'),
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

/** Any account, as an operator sees it. */
export const ListedAccountSchema = z
  .object({ ...identity, disabled_at: z.number().int().nullable().describe('Since when its keys are refused') })
  .meta({ id: 'ListedAccount' });
export type ListedAccount = z.infer<typeof ListedAccountSchema>;

export const AccountListQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().optional().describe('Id of the last account of the page before'),
});

export const AccountListSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(ListedAccountSchema),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: 'AccountList' });

const USERNAME = /^[\p{L}\p{N}._@+-]{1,64}$/u;
/** What operators call an account. */
export const UsernameSchema = z
  .string()
  .regex(USERNAME, { error: 'must be 1 to 64 letters, digits or any of . _ @ + -' });

export const AccountRequestSchema = z
  .strictObject({ username: UsernameSchema, role: RoleSchema.default('user') })
  .meta({ id: 'AccountRequest' });

export const AccountChangeSchema = z
  .strictObject({ role: RoleSchema.optional(), disabled: z.boolean().optional() })
  .meta({ id: 'AccountChange' });
