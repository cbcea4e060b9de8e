import { z } from 'zod';

/** What is to be erased: one job, one conversation with all that was said in it, or everything that an account has. */
export const ErasureScopeSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), id: z.string().min(1) }),
  z.object({ type: z.literal('conversation'), id: z.string().min(1) }),
  z.object({ type: z.literal('account') }),
]);
export type ErasureScope = z.infer<typeof ErasureScopeSchema>;

/** What is to be removed of the job's account. */
export const ErasureTaskSchema = z.object({ scope: ErasureScopeSchema });
export type ErasureTask = z.infer<typeof ErasureTaskSchema>;

/** The receipt is a signed list of what was removed and when, without its content. */
export const ErasureResultSchema = z.object({
  /** Compact JWS, EdDSA; its payload is an `ErasureReceipt`. */
  receipt: z.string(),
  /** How many of each kind of thing were removed. */
  removed: z.record(z.string(), z.number().int()),
});
export type ErasureResult = z.infer<typeof ErasureResultSchema>;

/** Ids of each kind are listed up to so many; count and digest are of all of them. */
export const RECEIPT_IDS = 200;

/** What a receipt says: the payload of the JWS. */
export const ErasureReceiptSchema = z.object({
  /** The erasure. */
  jti: z.string(),
  /** The account. */
  sub: z.string(),
  /** When it was signed, in Unix seconds. */
  iat: z.number().int(),
  scope: ErasureScopeSchema,
  requested_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  removed: z.record(
    z.string(),
    z.object({
      count: z.number().int(),
      /** SHA-256 of all ids in ascending order, each followed by a line feed; lower-case hex. */
      sha256: z.string(),
      ids: z.array(z.string()).max(RECEIPT_IDS),
    }),
  ),
});
export type ErasureReceipt = z.infer<typeof ErasureReceiptSchema>;

/** So long the record of an erasure is kept after its end, as the proof: as long as claims are commonly made. */
export const ERASURE_RECORD_SECONDS = 3 * 365 * 24 * 60 * 60;
