import type { JobKind } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { expiryOf } from './expiry.ts';

/**
 * How a job ends that is given the result of an earlier one at its submission: all is its own, what it says and how long it
 * is kept, and its usage says that nothing was computed.
 */
export function reusedEnding<Kind extends JobKind>(
  { kind, retention, createdAt }: JobRecord<Kind>,
  source: JobRecord<Kind>,
): Partial<JobRecord<Kind>> {
  return {
    status: 'completed',
    progress: 1,
    reusedFrom: source._id,
    ...(source.result && { result: source.result }),
    // Those of the request are the same: they are a part of what the content goes by.
    warnings: source.warnings,
    usage: { audioSeconds: 0, computeMs: 0 },
    finishedAt: createdAt,
    webhooksPending: true,
    ...expiryOf({ kind, ...(retention && { retention }) }, 'completed', createdAt),
  };
}
