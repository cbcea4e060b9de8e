import { isFinal } from '@aigolos/contracts';
import { deletedJobs, jobsOfLoad, type Rule, type Violation } from './case.ts';

/** An event has one id and one body, however often it is sent; a job has one end; nobody hears of jobs that there are not. */
export const webhooksAreOne: Rule = (given) => {
  const violations: Violation[] = [];
  const deleted = deletedJobs(given);
  const sent = given.journal.of('webhook');
  for (const [about, ofJob] of Map.groupBy(sent, ({ job }) => job)) {
    const job = given.evidence.jobs.get(about);
    if (!job && !deleted.has(about)) {
      violations.push({ rule: 'webhook', about, what: 'the receiver was told of a job that is not there' });
    }
    if (job?.batch !== undefined) {
      violations.push({ rule: 'webhook', about, what: 'the receiver was told of a line of a batch' });
    }
    for (const [event, same] of Map.groupBy(ofJob, (one) => one.event)) {
      const ids = new Set(same.map(({ id }) => id));
      if (ids.size > 1) violations.push({ rule: 'webhook', about, what: `${event} has ids ${[...ids].join(', ')}` });
      const bodies = new Set(same.map(({ body }) => body));
      if (bodies.size > 1) violations.push({ rule: 'webhook', about, what: `${event} has ${bodies.size} bodies` });
      if (job && event !== `job.${job.status}` && event !== 'job.started') {
        violations.push({ rule: 'webhook', about, what: `${event} was told, and the job is ${job.status}` });
      }
    }
  }
  return violations;
};

/** The receiver has acknowledged the end of every job, save of lines, of which their batch tells. */
export const everyEndIsTold: Rule = (given) => {
  const violations: Violation[] = [];
  const told = new Set(
    given.journal
      .of('webhook')
      .filter(({ answered }) => answered === '200')
      .map(({ job, event }) => `${job} ${event}`),
  );
  for (const { job } of jobsOfLoad(given)) {
    if (job.batch === undefined && isFinal(job.status) && !told.has(`${job._id} job.${job.status}`)) {
      const rows = given.evidence.deliveries.filter((row) => row.job === job._id).map(({ status }) => status);
      const what = `nobody was told that it is ${job.status} (${rows.length} deliveries: ${rows.join(', ')})`;
      violations.push({ rule: 'webhook_lost', about: job._id, what });
    }
  }
  return violations;
};
