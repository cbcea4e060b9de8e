import { DEFAULT_RETENTION, type FinalStatus, type JobKind } from '@aigolos/contracts';
import type { JobExpiry, JobRecord } from '@aigolos/db';

/** Whether a job of this kind has audio that was sent, and files that were made. */
const HAS: Record<JobKind, { input: boolean; output: boolean }> = {
  transcription: { input: true, output: false },
  translation: { input: true, output: false },
  speech: { input: false, output: true },
  chat: { input: false, output: false },
  response: { input: false, output: false },
  'voice-turn': { input: true, output: true },
  // Files that it reads and makes are records of their own.
  batch: { input: false, output: false },
  export: { input: false, output: true },
  erasure: { input: false, output: false },
};

/** Files of a kind that only a later version knows go with their record. */
const NOTHING_KNOWN = { input: false, output: false };

/** Whoever waits for an output gets to read it, however short it is kept. */
const OUTPUT_LEAST_SECONDS = 60;

/**
 * When a job that ended now is to go, and its files before it. The input of a failed job stays as long as its record, so
 * that it can be looked into.
 */
export function expiryOf(
  { kind, retention = DEFAULT_RETENTION }: Pick<JobRecord, 'kind' | 'retention'>,
  status: FinalStatus,
  finishedAt: Date,
): JobExpiry {
  const after = (seconds: number | null) =>
    seconds === null ? Number.POSITIVE_INFINITY : finishedAt.getTime() + seconds * 1_000;
  const record = after(retention.result);
  const never = Number.POSITIVE_INFINITY;
  const has = HAS[kind] ?? NOTHING_KNOWN;
  const input = has.input ? Math.min(record, status === 'failed' ? never : after(retention.input)) : never;
  const outputSeconds = retention.output === null ? null : Math.max(OUTPUT_LEAST_SECONDS, retention.output);
  const made = has.output && (status === 'completed' || status === 'incomplete');
  const output = made ? Math.min(record, after(outputSeconds)) : never;
  const files = Math.min(input, output);
  return {
    ...at('expiresAt', record),
    ...at('inputExpiresAt', input),
    ...at('outputExpiresAt', output),
    ...at('filesExpireAt', files < record ? files : never),
  };
}

function at(field: keyof JobExpiry, time: number): JobExpiry {
  return Number.isFinite(time) ? { [field]: new Date(time) } : {};
}
