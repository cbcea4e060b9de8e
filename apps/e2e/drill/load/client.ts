import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal, type JobView } from '@aigolos/contracts';
import type { Journal, SeenJob } from '../journal.ts';
import { readAnswer } from './answer.ts';
import { type Caller, createCaller, type Outcome } from './http.ts';
import type { Operation } from './operations.ts';
import { requestOf } from './submission.ts';

export interface Client {
  /** Carries out an operation to its end; never throws. */
  run(operation: Operation): Promise<void>;
  /** Looks at a job once more; false where the gateway did not answer. */
  look(op: string, job: string): Promise<boolean>;
}

export interface ClientOptions {
  urls: readonly string[];
  apiKey: string;
  journal: Journal;
  /** Nobody waits any longer. */
  signal: AbortSignal;
}

interface Acknowledged {
  job: string;
  conversation?: string;
}

const TRIES = 25;
const PAUSE_MS = 400;
const LOOK_EVERY_MS = 500;

/** A client as its users' programs are: it tries again what was not acknowledged if it has a key, and asks until its jobs have ended. */
export function createClient({ urls, apiKey, journal, signal }: ClientOptions): Client {
  const call: Caller = createCaller(urls, apiKey);
  /** The id of a conversation once its first turn is acknowledged, after its last turn so far is settled. */
  const conversations = new Map<string, Promise<string | undefined>>();
  const lastSeen = new Map<string, string>();
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => {});

  function see(op: string, askedAt: number, { id: job, status, finished_at: finishedAt, usage }: JobView): void {
    const seen: SeenJob = { job, status, finishedAt, usage: JSON.stringify(usage) };
    const key = JSON.stringify(seen);
    if (lastSeen.get(job) === key) return;
    lastSeen.set(job, key);
    journal.write({ type: 'seen', op, askedAt, ...seen });
  }

  /** One attempt to submit; what it told is in the journal. */
  async function submitOnce(
    operation: Operation,
    conversation?: string,
  ): Promise<Acknowledged | 'refused' | 'unknown'> {
    const { id: op, kind } = operation;
    const { path, ...request } = requestOf(operation, conversation);
    const askedAt = Date.now();
    const outcome: Outcome = await call(path, request);
    const { ms } = outcome;
    if (!outcome.answered) {
      journal.write({ type: 'unknown', op, error: outcome.error, ms });
      return 'unknown';
    }
    const { response } = outcome;
    const told = response.headers.get('x-job-id');
    if (told === null) {
      const text = await response.text().catch(() => '');
      const code = /"code":"([^"]*)"/.exec(text)?.[1] ?? text.slice(0, 200);
      if (response.status >= 500) journal.write({ type: 'unknown', op, error: `${response.status} ${code}`, ms });
      else journal.write({ type: 'refused', op, http: response.status, code, ms });
      return response.status >= 500 ? 'unknown' : 'refused';
    }
    const acknowledge = (name?: string) => {
      const known = name === undefined ? {} : { conversation: name };
      journal.write({ type: 'acknowledged', op, job: told, http: response.status, ms, ...known });
      return { job: told, ...known };
    };
    try {
      if (response.status === 202) {
        const view = (await response.json()) as JobView;
        const acknowledged = acknowledge(view.conversation ?? undefined);
        see(op, askedAt, view);
        return acknowledged;
      }
      const acknowledged = acknowledge();
      if (!response.ok) {
        await response.body?.cancel();
        return acknowledged;
      }
      journal.write({ type: 'result', op, job: told, ...(await readAnswer(kind, response)) });
      return acknowledged;
    } catch {
      // The head of the answer was there, and with it the promise.
      return { job: told };
    }
  }

  async function submit(operation: Operation, conversation?: string): Promise<Acknowledged | undefined> {
    for (let attempt = 1; attempt <= TRIES && !signal.aborted; attempt += 1) {
      journal.write({ type: 'sent', op: operation.id, attempt });
      const outcome = await submitOnce(operation, conversation);
      if (typeof outcome === 'object') return outcome;
      // Without a key nobody can tell whether a second try makes a second job.
      if (outcome === 'refused' || !operation.hasKey) return undefined;
      await pause(PAUSE_MS * Math.min(2 ** attempt, 16));
    }
    return undefined;
  }

  async function submitTurn(operation: Operation & { conversation: string }): Promise<Acknowledged | undefined> {
    const before = conversations.get(operation.conversation);
    const settled = Promise.withResolvers<string | undefined>();
    conversations.set(operation.conversation, settled.promise);
    const conversation = await before;
    if (before && conversation === undefined) {
      settled.resolve(undefined);
      return undefined;
    }
    const acknowledged = await submit(operation, conversation);
    settled.resolve(conversation ?? (acknowledged && (await conversationOf(operation.id, acknowledged))));
    return acknowledged;
  }

  /** Of a first turn: the answer to a call that was held open does not name it. */
  async function conversationOf(op: string, { job, conversation }: Acknowledged): Promise<string | undefined> {
    if (conversation !== undefined) return conversation;
    while (!signal.aborted) {
      const askedAt = Date.now();
      const view = await fetchJob(job);
      if (view === 'gone') return undefined;
      if (view) {
        see(op, askedAt, view);
        return view.conversation ?? undefined;
      }
      await pause(PAUSE_MS);
    }
    return undefined;
  }

  async function fetchJob(job: string): Promise<JobView | 'gone' | undefined> {
    const outcome = await call(`/v1/jobs/${job}`);
    if (!outcome.answered) return undefined;
    const { response } = outcome;
    if (response.ok) return (await response.json().catch(() => undefined)) as JobView | undefined;
    await response.body?.cancel().catch(() => {});
    return response.status === 404 ? 'gone' : undefined;
  }

  /** Repeats a call until it is answered as wanted. */
  async function insist(path: string, method: string, statuses: number[]): Promise<Response | undefined> {
    while (!signal.aborted) {
      const outcome = await call(path, { method });
      if (outcome.answered) {
        if (statuses.includes(outcome.response.status)) return outcome.response;
        await outcome.response.body?.cancel().catch(() => {});
      }
      await pause(PAUSE_MS);
    }
    return undefined;
  }

  async function cancel({ id: op }: Operation, job: string): Promise<void> {
    const askedAt = Date.now();
    journal.write({ type: 'cancel_sent', op, job });
    const response = await insist(`/v1/jobs/${job}/cancel`, 'POST', [200, 404]);
    const view = (await response?.json().catch(() => undefined)) as JobView | undefined;
    if (!response?.ok || !view) return;
    journal.write({ type: 'cancel_acknowledged', op, job, status: view.status });
    see(op, askedAt, view);
  }

  async function untilEnded({ id: op }: Operation, job: string): Promise<JobView | undefined> {
    while (!signal.aborted) {
      const askedAt = Date.now();
      const view = await fetchJob(job);
      if (view === 'gone') {
        journal.write({ type: 'gone', op, job });
        return undefined;
      }
      if (view) see(op, askedAt, view);
      if (view && isFinal(view.status)) return view;
      await pause(LOOK_EVERY_MS);
    }
    return undefined;
  }

  async function fetchResult({ id: op, kind }: Operation, job: string): Promise<void> {
    for (let attempt = 0; attempt < TRIES && !signal.aborted; attempt += 1) {
      const outcome = await call(`/v1/jobs/${job}/result`);
      if (outcome.answered && outcome.response.ok) {
        const read = await readAnswer(kind, outcome.response).catch(() => undefined);
        if (read) return journal.write({ type: 'result', op, job, ...read });
      } else if (outcome.answered) await outcome.response.body?.cancel().catch(() => {});
      await pause(PAUSE_MS);
    }
  }

  async function follow(operation: Operation, job: string): Promise<void> {
    const { id: op, cancelAfterMs, duplicate, isDeleted } = operation;
    const cancelled = cancelAfterMs === undefined ? undefined : pause(cancelAfterMs).then(() => cancel(operation, job));
    const view = await untilEnded(operation, job);
    await cancelled;
    if (!view) return;
    if (view.status === 'completed') await fetchResult(operation, job);
    if (duplicate === 'after_end') await submit({ ...operation, manner: 'async' });
    else if (isDeleted) {
      journal.write({ type: 'delete_sent', op, job });
      const response = await insist(`/v1/jobs/${job}`, 'DELETE', [200, 202, 404]);
      if (response) journal.write({ type: 'deleted', op, job });
    }
  }

  return {
    async run(operation) {
      const isTurn = 'conversation' in operation;
      const [first, second] = await Promise.all([
        isTurn ? submitTurn(operation) : submit(operation),
        operation.duplicate === 'at_once' && !isTurn ? submit({ ...operation, manner: 'async' }) : undefined,
      ]);
      const acknowledged = first ?? second;
      if (acknowledged) await follow(operation, acknowledged.job);
    },
    async look(op, job) {
      const askedAt = Date.now();
      const view = await fetchJob(job);
      if (view === 'gone') journal.write({ type: 'gone', op, job });
      else if (view) see(op, askedAt, view);
      return view !== undefined;
    },
  };
}
