import { z } from 'zod';

/** What is to be erased: one job, one conversation with all that was said in it, or everything that an account has. */
export const ErasureScopeSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), id: z.string() }),
  z.object({ type: z.literal('conversation'), id: z.string() }),
  z.object({ type: z.literal('account') }),
]);
export type ErasureScope = z.infer<typeof ErasureScopeSchema>;

/** What is to be removed of the job's account. */
export const ErasureTaskSchema = z.object({ scope: ErasureScopeSchema });
export type ErasureTask = z.infer<typeof ErasureTaskSchema>;

/** The receipt is a signed list of what was removed and when, without its content. */
export const ErasureResultSchema = z.object({
  /** Compact JWS, EdDSA. */
  receipt: z.string(),
  /** How many of each kind of thing were removed. */
  removed: z.record(z.string(), z.number().int()),
});
export type ErasureResult = z.infer<typeof ErasureResultSchema>;
