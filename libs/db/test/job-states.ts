import type { FinalStatus } from '@aigolos/contracts';
import type { JobRecord } from '../src/models/job.model.ts';
import type { JobsRepository } from '../src/repositories/jobs.repository.ts';

/** The states of a job as they are meant, without a database: what every change of a record is held against. */
export interface JobState {
  status: JobRecord['status'];
  fence: number;
  attempt: number;
  crashes: number;
  retries: number;
  worker: string | undefined;
  leaseUntil: number | undefined;
  deadlineAt: number | undefined;
  finishBy: number | undefined;
  begun: boolean;
  cancelRequested: boolean;
  checkpoint: string | undefined;
  /** What it ended with, and who said so. */
  result: string | undefined;
  ended: number | undefined;
  endToTell: boolean;
  /** `fence:worker:outcome` of each attempt. */
  timeline: string[];
}

export type JobChange =
  | { type: 'claim'; worker: string }
  | { type: 'renew'; fence: number; checkpoint?: string | undefined }
  | { type: 'finish'; fence: number; status: FinalStatus }
  | { type: 'release'; fence: number; outcome: 'retried' | 'drained'; checkpoint?: string | undefined }
  | { type: 'releaseExpired'; fence: number }
  | { type: 'expire'; fence: number; status: JobRecord['status'] }
  | { type: 'cancel' }
  | { type: 'tellEnd' }
  | { type: 'requeue'; fence: number };

export const LEASE_MS = 100;
const KEPT_ATTEMPTS = 20;
const isOver = ({ status }: JobState) => status !== 'queued' && status !== 'in_progress';

/** What a change makes of a state at a time, and what is answered. */
export function apply(before: JobState, change: JobChange, now: number): { state: JobState; answer: unknown } {
  const state = { ...before, timeline: [...before.timeline] };
  const owns = (fence: number) => state.status === 'in_progress' && state.fence === fence;
  const endAttempt = (outcome: string) => {
    state.timeline = state.timeline.map((attempt) => (attempt.endsWith(':') ? attempt + outcome : attempt));
  };
  const end = (status: FinalStatus) => {
    const gone = { worker: undefined, leaseUntil: undefined, deadlineAt: undefined, checkpoint: undefined };
    Object.assign(state, gone, { status, ended: now, endToTell: true });
  };
  const backToQueue = () => Object.assign(state, { status: 'queued', worker: undefined, leaseUntil: undefined });
  const leaseIsOver = () => state.leaseUntil === undefined || state.leaseUntil <= now;

  switch (change.type) {
    case 'claim': {
      if (isOver(state)) return { state, answer: 'final' };
      const live = state.leaseUntil !== undefined && state.leaseUntil > now;
      const ours = live && state.worker === change.worker;
      if (live && !ours) return { state, answer: 'held' };
      if (!ours && state.deadlineAt !== undefined && state.deadlineAt <= now) return { state, answer: 'due' };
      if (!ours) state.attempt += 1;
      if (!ours && state.status === 'in_progress') state.crashes += 1;
      endAttempt('vanished');
      state.fence += 1;
      state.timeline = [...state.timeline, `${state.fence}:${change.worker}:`].slice(-KEPT_ATTEMPTS);
      const deadlineAt = state.deadlineAt === undefined ? undefined : state.finishBy;
      const begun = {
        status: 'in_progress',
        worker: change.worker,
        leaseUntil: now + LEASE_MS,
        begun: true,
        deadlineAt,
      };
      return { state: Object.assign(state, begun), answer: `claimed ${state.fence}` };
    }
    case 'renew':
      if (!owns(change.fence)) return { state, answer: 'lost' };
      state.leaseUntil = now + LEASE_MS;
      state.checkpoint = change.checkpoint ?? state.checkpoint;
      return { state, answer: state.cancelRequested ? 'cancel_requested' : 'held' };
    case 'finish':
      if (!owns(change.fence)) return { state, answer: false };
      endAttempt(change.status);
      end(change.status);
      state.result = `by ${change.fence}`;
      return { state, answer: true };
    case 'release':
      if (!owns(change.fence)) return { state, answer: false };
      endAttempt(change.outcome);
      if (change.outcome === 'drained') state.attempt -= 1;
      state.checkpoint = change.checkpoint ?? state.checkpoint;
      return { state: backToQueue(), answer: true };
    case 'releaseExpired':
      if (!owns(change.fence) || !leaseIsOver()) return { state, answer: false };
      endAttempt('vanished');
      state.crashes += 1;
      return { state: backToQueue(), answer: true };
    case 'expire': {
      const overdue = state.deadlineAt !== undefined && state.deadlineAt <= now;
      if (state.fence !== change.fence || state.status !== change.status || !overdue) return { state, answer: false };
      if (state.status === 'in_progress') {
        if (!leaseIsOver()) return { state, answer: false };
        endAttempt('vanished');
        state.crashes += 1;
      }
      end('expired');
      return { state, answer: true };
    }
    case 'cancel':
      if (!isOver(state)) state.cancelRequested = true;
      if (state.status === 'queued') end('cancelled');
      return { state, answer: state.status };
    case 'tellEnd':
      state.endToTell = false;
      return { state, answer: undefined };
    case 'requeue': {
      const without = state.status === 'failed' || state.status === 'cancelled' || state.status === 'expired';
      if (!without || state.endToTell || state.fence !== change.fence) return { state, answer: false };
      const anew = { attempt: 0, crashes: 0, cancelRequested: false, result: undefined, ended: undefined };
      Object.assign(backToQueue(), anew, { fence: state.fence + 1, retries: state.retries + 1 });
      return { state, answer: true };
    }
  }
}

/** The same change, made to a record. */
export async function make(jobs: JobsRepository, id: string, change: JobChange, now: number): Promise<unknown> {
  switch (change.type) {
    case 'claim': {
      const claim = await jobs.claim(id, { worker: change.worker, leaseMs: LEASE_MS });
      return claim.outcome === 'claimed' ? `claimed ${claim.job.fence}` : claim.outcome;
    }
    case 'renew':
      return jobs.renew(id, change.fence, { leaseMs: LEASE_MS, progress: 0, checkpoint: change.checkpoint });
    case 'finish': {
      const result = { text: `by ${change.fence}`, finishReason: 'stop' as const };
      return jobs.finish(id, change.fence, { status: change.status, finishedAt: new Date(now), result });
    }
    case 'release':
      return jobs.release(id, change.fence, change);
    case 'releaseExpired':
      return jobs.releaseExpired(id, change.fence);
    case 'expire':
      return jobs.expire({ _id: id, fence: change.fence, status: change.status }, {});
    case 'cancel':
      return jobs.requestCancel('acc_1', id, {});
    case 'tellEnd':
      return jobs.clearWebhooksPending([id]);
    case 'requeue':
      return jobs.requeueEnded(id, change.fence);
  }
}

/** What a record says, in the model's words. */
export function stateOf(job: JobRecord): JobState {
  return {
    status: job.status,
    fence: job.fence,
    attempt: job.attempt,
    crashes: job.crashes,
    retries: job.retries ?? 0,
    worker: job.worker,
    leaseUntil: job.leaseUntil?.getTime(),
    deadlineAt: job.deadlineAt?.getTime(),
    finishBy: job.finishBy?.getTime(),
    begun: job.startedAt !== undefined,
    cancelRequested: job.cancelRequestedAt !== undefined,
    checkpoint: job.checkpoint as string | undefined,
    result: (job as JobRecord<'chat'>).result?.text,
    ended: job.finishedAt?.getTime(),
    endToTell: job.webhooksPending === true,
    timeline: (job.attempts ?? []).map(({ fence, worker, outcome = '' }) => `${fence}:${worker}:${outcome}`),
  };
}
