import { z } from 'zod';
import { ROLES, SCOPE_NAMES } from '../access.ts';
import { NameSchema, openEnum } from './common.ts';

export const API_KEY_LIMITS = {
  labelCharacters: 200,
  /** Of an account, without those that are revoked or have expired. */
  keysPerAccount: 100,
} as const;

const { labelCharacters } = API_KEY_LIMITS;
/** Of the year 9999: what is later is no time of a calendar. */
const LAST_SECOND = 253_402_300_799;
const SCOPES_EXPECTED = `must be among ${SCOPE_NAMES.join(', ')}`;

export const ScopeSchema = z.enum(SCOPE_NAMES, { error: SCOPES_EXPECTED });
export const RoleSchema = z.enum(ROLES, { error: `must be one of ${ROLES.join(', ')}` });

/** What is left out is as the key has it that makes the new one. */
export const ApiKeyRequestSchema = z
  .strictObject({
    label: z
      .string()
      .max(labelCharacters, { error: `must have at most ${labelCharacters} characters` })
      .default('')
      .describe('What it is for, for people'),
    scopes: z
      .array(ScopeSchema)
      .min(1, 'must name at least one scope')
      .transform((scopes) => [...new Set(scopes)])
      .optional()
      .describe('What it may be used for'),
    role: RoleSchema.optional().describe('What it may do at most, where that is less than its account'),
    expires_at: z
      .int()
      .min(0)
      .max(LAST_SECOND)
      .optional()
      .describe('Until when it is valid, in Unix seconds; for as long as the key that makes it where absent'),
    account: NameSchema.optional().describe("Id of the account, where it is not the caller's; needs an operator's key"),
  })
  .meta({ id: 'ApiKeyRequest' });
export type ApiKeyRequest = z.infer<typeof ApiKeyRequestSchema>;

/** A key as its account sees it, without its text. Times are Unix seconds. */
export const ApiKeyViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('api_key'),
    account: z.string(),
    label: z.string(),
    role: openEnum(ROLES),
    scopes: z.array(openEnum(SCOPE_NAMES)),
    created_at: z.number().int(),
    created_by: z.string().nullable().describe('Id of the key that made it; null where an operator did at a shell'),
    expires_at: z.number().int().nullable(),
    last_used_at: z.number().int().nullable().describe('To a minute or so'),
    revoked_at: z.number().int().nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKeyView = z.infer<typeof ApiKeyViewSchema>;

export const ApiKeyCreatedSchema = ApiKeyViewSchema.extend({
  key: z.string().describe('`ag_…`, the key itself; shown this once'),
}).meta({ id: 'ApiKeyCreated' });

export const ApiKeyListQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().optional().describe('Id of the last key of the page before'),
  account: z.string().optional().describe("Whose keys, where not the caller's; needs an operator's key"),
});
export type ApiKeyListQuery = z.infer<typeof ApiKeyListQuerySchema>;

export const ApiKeyListSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(ApiKeyViewSchema),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: 'ApiKeyList' });
