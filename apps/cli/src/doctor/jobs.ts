import { JOB_KINDS, type QueueName, queueOf } from '@aigolos/contracts';
import type { SuspectJob } from '@aigolos/db';
import { createQueueInspection, type QueueInspection } from '@aigolos/queue';
import type { Installation } from '../open-installation.ts';
import type { Finding } from './finding.ts';

/** Whatever the running stack mends by itself is mended after so long. */
const LATE_MS = 60_000;
/** A key is given back to its account by the clock, which need not be punctual. */
const KEY_LATE_MS = 60 * 60_000;
const LOOKED_AT = 1_000;

const REPAIR = 'worker-maintenance mends it where it runs, and aigolos doctor --repair';
const START_WORKER = (queue: QueueName) => `start a worker of ${queue}: see aigolos doctor's other lines, and its log`;

/** Jobs that nobody takes care of any more, or that cannot go on. Changes nothing. */
export async function checkJobs(installation: Installation): Promise<Finding[]> {
  const { db, redis } = installation;
  const late = new Date(Date.now() - LATE_MS);
  const inspection = db.inspection;
  const waiting = (await inspection.queuedBefore(late, LOOKED_AT)).filter(isOfThisVersion);
  const abandoned = await inspection.leaseRunOut(late, LOOKED_AT);
  const unwritten = await inspection.messagesPending(late, LOOKED_AT);
  const findings = [
    about('lease_run_out', abandoned, 'in progress, but their worker has not been heard of', REPAIR),
    about(
      'deadline_missed',
      await inspection.deadlineMissed(late, LOOKED_AT),
      'past their deadline, but not expired',
      REPAIR,
    ),
    about('messages_not_written', unwritten, 'ended, but not written into their conversation', REPAIR),
    about(
      'idempotency_key_past',
      await inspection.idempotencyKeysPast(new Date(Date.now() - KEY_LATE_MS), LOOKED_AT),
      'still bound to an idempotency key whose time is over',
      REPAIR,
    ),
    ...(await checkQueues(redis, waiting)),
    ...(await blockedTurns(db, waiting, new Set([...abandoned, ...unwritten].map(({ _id }) => _id)))),
    ...(await foreignJobs(db)),
  ].filter((finding) => finding !== undefined);
  return findings.length === 0 ? [{ name: 'jobs', state: 'ok', detail: 'none is stuck' }] : findings;
}

/** Of jobs that have waited long: those that their queue does not know, and queues that do not move. */
async function checkQueues(redis: Installation['redis'], waiting: SuspectJob[]): Promise<(Finding | undefined)[]> {
  if (!redis)
    return [{ name: 'queues', state: 'warning', detail: 'no Redis is known', remedy: 'name it in REDIS_URL' }];
  try {
    const asked = waiting.map(({ _id: id, kind, step }) => ({ id, kind, step }));
    const unknown = new Set((await redis.producer.unknown(asked)).map(({ id }) => id));
    const forgotten = waiting.filter(({ _id }) => unknown.has(_id));
    const known = waiting.filter(({ _id }) => !unknown.has(_id));
    const queues = createQueueInspection(redis.producer);
    const byQueue = Map.groupBy(known, queueOf);
    return [
      about('job_not_in_queue', forgotten, 'waiting, but their queue does not know them', REPAIR),
      ...(await Promise.all([...byQueue].map(([queue, jobs]) => checkQueue(queues, queue, jobs)))),
    ];
  } catch {
    const remedy = 'start it again: nothing is lost, what waits comes back to it by itself';
    return [{ name: 'queues', state: 'bad', detail: 'Redis does not answer', remedy }];
  }
}

async function checkQueue(queues: QueueInspection, queue: QueueName, jobs: SuspectJob[]): Promise<Finding | undefined> {
  const { workers, waiting, active } = await queues.counts(queue);
  if (workers === 0) {
    return about(
      'queue_without_worker',
      jobs,
      `waiting in queue ${queue}, of which no worker takes`,
      START_WORKER(queue),
      'bad',
    );
  }
  if (waiting === 0 || active > 0) return undefined;
  const stands = `waiting in queue ${queue} for more than ${LATE_MS / 1_000} s, though its ${workers} workers are idle`;
  return about('queue_stands_still', jobs, stands, `start the workers of ${queue} again`, 'bad');
}

/** Turns that wait for one that does not go on by itself. */
async function blockedTurns(
  db: Installation['db'],
  waiting: SuspectJob[],
  stuck: ReadonlySet<string>,
): Promise<(Finding | undefined)[]> {
  const turns = Map.groupBy(
    waiting.filter(({ turn }) => turn !== undefined),
    ({ conversation }) => conversation,
  );
  const blocked: SuspectJob[] = [];
  for (const [conversation, jobs] of turns) {
    const first = conversation === undefined ? undefined : await db.inspection.firstOpenTurn(conversation);
    if (first && stuck.has(first._id)) blocked.push(...jobs.filter(({ _id }) => _id !== first._id));
  }
  const what = 'waiting for an earlier turn of their conversation that nobody takes care of';
  return [about('turn_blocked', blocked, what, REPAIR)];
}

/** What a later version wrote, as while two of them run side by side. */
async function foreignJobs(db: Installation['db']): Promise<Finding[]> {
  return (await db.inspection.foreign()).map(({ kind, status, count, example }) => ({
    name: 'job_of_later_version',
    state: 'warning',
    detail: `${jobsInWords(count)} of kind ${kind}, ${status}, such as ${example}: this version leaves them alone`,
    remedy: 'start the version that made them',
  }));
}

function isOfThisVersion({ kind }: SuspectJob): boolean {
  return JOB_KINDS.includes(kind);
}

function about(
  name: string,
  jobs: SuspectJob[],
  what: string,
  remedy: string,
  state: Finding['state'] = 'warning',
): Finding | undefined {
  const [example] = jobs;
  if (!example) return undefined;
  const count = jobs.length === LOOKED_AT ? `${LOOKED_AT} or more jobs` : jobsInWords(jobs.length);
  return { name, state, detail: `${count} ${what}, such as ${example._id}`, remedy };
}

function jobsInWords(count: number): string {
  return count === 1 ? '1 job' : `${count} jobs`;
}
