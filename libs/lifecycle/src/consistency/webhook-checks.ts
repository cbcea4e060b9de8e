import { announceJobEnds } from '../webhooks.ts';
import { type ConsistencyCheck, missingOf } from './check.ts';

/** The reaction to a job's end and the reconciler have both not made them. */
const LATE_AFTER_MS = 60_000;
const SHOWN = 1_000;

/** The last net under the reaction to a job's end. */
export const jobsWithoutWebhookRows: ConsistencyCheck = {
  kind: 'job_without_webhook_rows',
  isAutomatic: true,
  async *find({ db }) {
    for (const id of await db.jobs.webhooksPending(new Date(Date.now() - LATE_AFTER_MS), SHOWN)) {
      yield { id, detail: `job ${id} has ended, but nobody who asked for it is told` };
    }
  },
  async repair(deps, id) {
    if (!(await deps.db.jobs.find(id))?.webhooksPending) return false;
    const failure = (await announceJobEnds(deps, [id])).get(id);
    if (failure) throw failure;
    return true;
  },
};

/** Made in the moment when their job was erased. */
export const deliveriesWithoutJob: ConsistencyCheck = {
  kind: 'delivery_without_job',
  isAutomatic: true,
  async *find({ db }, signal) {
    for await (const id of missingOf(db.consistency.jobsOfDeliveries(), db.jobs.existing, signal)) {
      yield { id, detail: `there are webhooks about job ${id}, but no such job` };
    }
  },
  async repair({ db }, id) {
    if ((await db.jobs.existing([id])).has(id)) return false;
    await db.webhooks.deleteDeliveries({ job: id });
    return true;
  },
};
