import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal, type JobView } from '@aigolos/contracts';
import type { Journal, SeenJob } from '../journal.ts';
import { type Answer, get, readAnswer, readBatch } from './answer.ts';
import { type Call, type Caller, createCaller, type Outcome } from './http.ts';
import type { Operation } from './operations.ts';
import { type Known, requestOf } from './submission.ts';
import { createUploads } from './uploads.ts';

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
  const upload = createUploads({ call, journal, signal });
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
  async function submitOnce(operation: Operation, known: Known): Promise<Acknowledged | 'refused' | 'unknown'> {
    const { id: op, kind } = operation;
    const { path, ...request } = requestOf(operation, known);
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
      const named = name === undefined ? {} : { conversation: name };
      journal.write({ type: 'acknowledged', op, job: told, http: response.status, ms, ...named });
      return { job: told, ...named };
    };
    try {
      if (response.status === 202) {
        const view = (await response.json()) as JobView;
        const acknowledged = acknowledge(view.conversation ?? undefined);
        see(op, askedAt, view);
        return acknowledged;
      }
      const acknowledged = acknowledge();
      // The answer to a batch only says that it has begun.
      if (!response.ok || kind === 'batch') {
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
    const inputFile = operation.kind === 'batch' ? await upload(operation) : undefined;
    if (operation.kind === 'batch' && inputFile === undefined) return undefined;
    for (let attempt = 1; attempt <= TRIES && !signal.aborted; attempt += 1) {
      journal.write({ type: 'sent', op: operation.id, attempt });
      const outcome = await submitOnce(operation, { conversation, inputFile });
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
  async function insist(
    { path, ...request }: Call & { path: string },
    statuses: number[],
  ): Promise<Response | undefined> {
    while (!signal.aborted) {
      const outcome = await call(path, request);
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
    const response = await insist({ path: `/v1/jobs/${job}/cancel`, method: 'POST' }, [200, 404]);
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

  async function fetchResult({ id: op }: Operation, job: string, read: () => Promise<Answer>): Promise<void> {
    for (let attempt = 0; attempt < TRIES && !signal.aborted; attempt += 1) {
      const answer = await read().catch(() => undefined);
      if (answer) return journal.write({ type: 'result', op, job, ...answer });
      await pause(PAUSE_MS);
    }
  }

  /** All forms that there are of what came of a job. */
  async function fetchResults(operation: Operation, { id: job, status }: JobView): Promise<void> {
    const { kind } = operation;
    // What was done of a batch until it was cancelled is kept.
    const isKept = status === 'completed' || (kind === 'batch' && status === 'cancelled');
    if (!isKept) return;
    if (kind === 'batch') return fetchResult(operation, job, () => readBatch(call, job));
    const paths = [`/v1/jobs/${job}/result`, ...(kind === 'voice-turn' ? [`/v1/voice/turns/${job}/audio`] : [])];
    for (const path of paths) await fetchResult(operation, job, async () => readAnswer(kind, await get(call, path)));
  }

  async function follow(operation: Operation, job: string): Promise<void> {
    const { id: op, cancelAfterMs, duplicate, isDeleted } = operation;
    const cancelled = cancelAfterMs === undefined ? undefined : pause(cancelAfterMs).then(() => cancel(operation, job));
    const view = await untilEnded(operation, job);
    await cancelled;
    if (!view) return;
    await fetchResults(operation, view);
    if (duplicate === 'after_end') await submit({ ...operation, manner: 'async' });
    else if (isDeleted) {
      journal.write({ type: 'delete_sent', op, job });
      const response = await insist({ path: `/v1/jobs/${job}`, method: 'DELETE' }, [200, 202, 404]);
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
