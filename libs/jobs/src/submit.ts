import { setImmediate as afterThisTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  isTurnKind,
  type JobKind,
  LimitError,
  NotFoundError,
  newId,
  type RetentionPolicy,
  resolveLimits,
  resolveRetention,
} from '@aigolos/contracts';
import { type AnyJobRecord, isDuplicateKey, type JobRecord, newJobRecord } from '@aigolos/db';
import { messageOf } from '@aigolos/runtime';
import { invalidateJob } from './cached.ts';
import type { SubmitterDeps } from './deps.ts';
import { inLine } from './in-line.ts';
import { reserveQuota, settleQuota } from './quotas.ts';
import { assertSameRequest } from './request-fingerprint.ts';
import { reusedEnding } from './reuse.ts';
import type { Submission, Submitted, SubmittedOnce } from './submission.ts';

export interface Submitter {
  submit<Kind extends JobKind>(submission: Submission<Kind>): Promise<Submitted<Kind>>;
  findSubmitted(account: string, once: SubmittedOnce): Promise<AnyJobRecord | undefined>;
}

/** So long a client's key stands for its request. */
const KEY_KEPT_MS = 24 * 60 * 60_000;
/** Each further try needs a job that took the key and was deleted in the very moment. */
const TRIES = 5;
/** Before a request under a key is refused for a limit, its first one is looked for again after each of these. */
const LOOKS_AFTER_MS = [20, 50, 100, 200];

export function createSubmitter(deps: SubmitterDeps): Submitter {
  const { db, producer, cache, log, limitsOf = (account) => resolveLimits({}, account?.limits) } = deps;

  async function findSubmitted(account: string, { key, fingerprint }: SubmittedOnce) {
    const job = await db.jobs.findByIdempotencyKey(account, key);
    if (job) assertSameRequest(key, job.requestFingerprint, fingerprint);
    return job;
  }

  /** Inserts the job, or finds that the key was taken meanwhile: then what was prepared for this one is taken back. */
  async function insert<Kind extends JobKind>(submission: Submission<Kind>): Promise<JobRecord<Kind> | 'key_taken'> {
    const { account, once, content } = submission;
    const settings = await db.access.accountById(account);
    const wishes = { request: submission.retention, account: settings?.retention };
    const retention = resolveRetention(deps.retention, wishes);
    const source = content?.mayReuse ? await db.jobs.findReusable(account, submission.kind, content.key) : undefined;
    const draft = recordOf(submission);
    // What is answered from an earlier result takes nothing.
    const reservation = source ? undefined : await reserveQuota(deps, draft, limitsOf(settings));
    const giveBack = () => settleQuota(deps, { ...draft, ...(reservation && { reservation }) }, 'never_was');
    const turn = await takeTurn(submission, retention).catch(async (error: unknown) => {
      await giveBack();
      throw error;
    });
    const job = newJobRecord<Kind>({ ...draft, retention, ...(reservation && { reservation }), ...turn?.fields });
    if (source) Object.assign(job, reusedEnding(job, source));
    try {
      await db.jobs.insert(job);
      return job;
    } catch (error) {
      // Any other error leaves open whether it was inserted, and it must not lose its turn and reservation then.
      if (!once || !isDuplicateKey(error)) throw error;
      await Promise.all([turn?.giveBack(), giveBack()]);
      return 'key_taken';
    }
  }

  async function takeTurn<Kind extends JobKind>(
    { kind, account, task, retention: wish }: Submission<Kind>,
    retention: RetentionPolicy,
  ): Promise<{ fields: Partial<JobRecord<Kind>>; giveBack: () => Promise<unknown> } | undefined> {
    if (!isTurnKind(kind) || !('conversation' in task) || !task.conversation) return undefined;
    const { conversations } = db;
    if (task.conversation === 'new') {
      const { _id: conversation } = await conversations.create(account, { retentionSeconds: retention.conversation });
      const fields = { conversation, turn: 0, task: { ...task, conversation } };
      return { fields, giveBack: () => conversations.delete(conversation) };
    }
    const conversation = task.conversation;
    const taken = await conversations.takeTurn(account, conversation, {
      wanted: wish?.conversation,
      otherwise: retention.conversation,
    });
    if (!taken) {
      throw new NotFoundError(`There is no conversation ${conversation} any more; send "new" to begin one.`, {
        code: 'CONVERSATION_NOT_FOUND',
        param: 'conversation',
      });
    }
    const { turn, retentionSeconds } = taken;
    const fields = { conversation, turn, retention: { ...retention, conversation: retentionSeconds } };
    return { fields, giveBack: () => conversations.giveBackTurn(account, conversation, taken) };
  }

  /** The first of several requests under a key may have taken what the others were refused, and not be inserted yet. */
  async function isThere(account: string, once: SubmittedOnce): Promise<boolean> {
    for (const ms of LOOKS_AFTER_MS) {
      await sleep(ms);
      if (await findSubmitted(account, once)) return true;
    }
    return false;
  }

  return {
    findSubmitted,
    async submit<Kind extends JobKind>(submission: Submission<Kind>): Promise<Submitted<Kind>> {
      const { account, once } = submission;
      for (let left = TRIES; ; left -= 1) {
        const earlier = once && (await findSubmitted(account, once));
        // The fingerprint has the kind in it.
        if (earlier) return { job: earlier as JobRecord<Kind>, replayed: true };
        const job = await insert(submission).catch(async (error: unknown) => {
          if (once && error instanceof LimitError && (await isThere(account, once))) return 'key_taken' as const;
          throw error;
        });
        if (job === 'key_taken') {
          if (left === 1) throw new Error(`a key was taken ${TRIES} times by jobs that are not there`);
          continue;
        }
        const added =
          job.status === 'queued' &&
          producer.add(inLine(job as AnyJobRecord)).catch((error: unknown) => {
            log.warn(
              { jobId: job._id, reason: messageOf(error) },
              'the queue is away; the reconciler will add this job',
            );
          });
        // The queue comes first: a worker waits for it.
        await Promise.all([added, afterThisTurn().then(() => invalidateJob(cache, job))]);
        return { job, replayed: false };
      }
    },
  };
}

function recordOf<Kind extends JobKind>(submission: Submission<Kind>) {
  const { kind, id: _id = newId(kind), account, apiKey, task, metadata = {}, warnings = [] } = submission;
  const { webhookUrl, priority, startWithinSeconds, finishWithinSeconds, once, content, batch } = submission;
  const now = Date.now();
  const startBy = startWithinSeconds === undefined ? undefined : new Date(now + startWithinSeconds * 1_000);
  const finishBy = finishWithinSeconds === undefined ? undefined : new Date(now + finishWithinSeconds * 1_000);
  // What comes first; a claim lifts the one for the start.
  const deadlineAt =
    startBy && finishBy ? new Date(Math.min(startBy.getTime(), finishBy.getTime())) : (startBy ?? finishBy);
  return {
    _id,
    kind,
    account,
    task,
    warnings,
    metadata,
    ...(apiKey !== undefined && { apiKey }),
    ...(webhookUrl !== undefined && { webhookUrl }),
    ...(priority !== undefined && { priority }),
    ...(startBy && { startBy }),
    ...(finishBy && { finishBy }),
    ...(deadlineAt && { deadlineAt }),
    ...(once && {
      idempotencyKey: once.key,
      requestFingerprint: once.fingerprint,
      idempotencyKeyUntil: new Date(now + KEY_KEPT_MS),
    }),
    ...(content && { contentKey: content.key }),
    ...(batch !== undefined && { batch }),
  };
}
