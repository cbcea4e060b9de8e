import type { Replacement } from './replace-source.ts';

/** Builds that are known to be bad: each leaves out one of the things that the promise rests on. */
export const CONTROLS = ['no-fence', 'no-reconciler', 'no-outbox'] as const;
export type Control = (typeof CONTROLS)[number];

const CLAIMS = 'libs/db/src/repositories/job-claims.repository.ts';
const CONTROL = 'libs/db/src/repositories/job-control.repository.ts';
const TIMELINE = 'libs/db/src/repositories/attempt-timeline.ts';

export const REPLACEMENTS: Record<Control, readonly Replacement[]> = {
  /** Whoever once held a job writes its end, whoever holds it by now; its files bear no fence. */
  'no-fence': [
    {
      file: CLAIMS,
      from: `{
            status: job.status,
            fence: job.fence,
            ...(job.leaseUntil && { leaseUntil: job.leaseUntil }),
          }),`,
      to: '{}),',
    },
    {
      file: CLAIMS,
      from: "Job.updateOne(byId<JobRecord>(id, { fence, status: 'in_progress' }), {",
      to: 'Job.updateOne({ _id: id }, {',
    },
    {
      file: TIMELINE,
      from: "const claim = { ...byId<JobRecord>(_id, { fence, status: 'in_progress' }), ...more };",
      to: 'const claim = { _id };',
    },
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: source that is replaced
    {
      file: 'apps/worker-tts/src/speak.processor.ts',
      from: '`${job._id}/output-${job.fence}.${task.format}`',
      to: '`${job._id}/output.${task.format}`',
    },
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: until here
  ],
  /** What Redis forgets is forgotten. */
  'no-reconciler': [
    { file: 'libs/jobs/src/reconciler.ts', from: 'async sweep(signal) {', to: 'async sweep(signal) {\n      return;' },
  ],
  /** What follows from an end is in the memory of the process that wrote it, or of the one that heard of it. */
  'no-outbox': [
    {
      file: CLAIMS,
      from: '$set: { ...ending, webhooksPending: true,',
      to: '$set: { ...ending, messagesPending: false,',
    },
    {
      file: CONTROL,
      from: '...expiry, cancelRequestedAt: at, webhooksPending: true },',
      to: '...expiry, cancelRequestedAt: at },',
    },
    {
      file: 'libs/jobs/src/runner.ts',
      from: 'if (ending.messagesPending) await writeTurn(db, { ...job, ...whole } as unknown as AnyJobRecord);',
      to: `if (ending.messagesPending) {
      setTimeout(() => void writeTurn(db, { ...job, ...whole } as unknown as AnyJobRecord).catch(() => {}), 1_000);
    }`,
    },
    {
      file: 'libs/db/src/watcher.ts',
      from: '...(resumeToken !== undefined && { startAfter: resumeToken }),',
      to: '',
    },
  ],
};
