import { FINAL_STATUSES } from '@aigolos/contracts';
import { testConfig, useMongo } from '@aigolos/testing';
import * as fc from 'fast-check';
import { type Connection, createConnection, type Model } from 'mongoose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apply, type JobChange, type JobState, LEASE_MS, make, stateOf } from '../test/job-states.ts';
import { defineJobModel, type JobRecord, jobCollection, newJobRecord } from './models/job.model.ts';
import { createJobsRepository } from './repositories/jobs.repository.ts';

const mongo = useMongo();
const { TEST_MODEL_RUNS: runs } = testConfig;
const WORKERS = ['w0', 'w1', 'w2'] as const;
const BEGIN = Date.UTC(2026, 0, 1);
let connection: Connection;
let Job: Model<JobRecord>;
let made = 0;
beforeAll(async () => {
  connection = await createConnection(mongo.newDatabaseUrl(), { autoCreate: false, autoIndex: false }).asPromise();
  Job = defineJobModel(connection);
  await Job.createCollection();
});
afterAll(() => connection.close());

/** A step of a run; whoever makes it knows what its worker knows: the fence of its last claim, which may be long over. */
type Step =
  | { type: 'tick'; ms: number }
  | {
      type: 'claim' | 'renew' | 'finish' | 'release';
      worker: (typeof WORKERS)[number];
      pick: number;
      checkpoint?: string | undefined;
    }
  | { type: 'releaseExpired' | 'expire' | 'requeue'; behind: number }
  | { type: 'cancel' | 'tellEnd' };

const worker = fc.constantFrom(...WORKERS);
const byWorker = (type: 'claim' | 'renew' | 'finish' | 'release') =>
  fc.record({
    type: fc.constant(type),
    worker,
    pick: fc.nat(9),
    checkpoint: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
  });
// Now and then by one who looked before the last claim.
const byLooker = (type: 'releaseExpired' | 'expire' | 'requeue') =>
  fc.record({ type: fc.constant(type), behind: fc.constantFrom(0, 0, 0, 1) });
const change: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: byWorker('claim') },
  { weight: 3, arbitrary: byWorker('renew') },
  { weight: 3, arbitrary: byWorker('finish') },
  { weight: 3, arbitrary: byWorker('release') },
  { weight: 2, arbitrary: byLooker('releaseExpired') },
  { weight: 2, arbitrary: byLooker('expire') },
  { weight: 2, arbitrary: byLooker('requeue') },
  { weight: 1, arbitrary: fc.constant({ type: 'cancel' as const }) },
  { weight: 2, arbitrary: fc.constant({ type: 'tellEnd' as const }) },
);
const tick = fc.record({ type: fc.constant('tick' as const), ms: fc.constantFrom(1, LEASE_MS / 2, LEASE_MS + 1) });
const step = fc.oneof({ weight: 5, arbitrary: change }, { weight: 2, arbitrary: tick });
const deadlines = fc.record({
  startBy: fc.option(fc.constantFrom(80, 400), { nil: undefined }),
  finishBy: fc.option(fc.constantFrom(400, 900), { nil: undefined }),
});

const claimBy = (by: (typeof WORKERS)[number]): Step => ({ type: 'claim', worker: by, pick: 0 });
const leaseRunsOut: Step = { type: 'tick', ms: LEASE_MS + 1 };
/** Where it gets interesting: somebody works on it, or did and is late, or was even followed by somebody else. */
const opening = fc.constantFrom<Step[]>(
  [],
  [claimBy('w0')],
  [claimBy('w0'), leaseRunsOut],
  [claimBy('w0'), leaseRunsOut, claimBy('w1')],
);

/** A job in the database beside the same one in the model. Every change is made to both, and both are compared after it. */
async function startRun({ startBy, finishBy }: { startBy?: number | undefined; finishBy?: number | undefined }) {
  const clock = { now: BEGIN };
  const first = Math.min(startBy ?? Number.POSITIVE_INFINITY, finishBy ?? Number.POSITIVE_INFINITY);
  const record = newJobRecord({
    _id: `cht_${made++}`,
    kind: 'chat',
    account: 'acc_1',
    task: { model: 'm', messages: [], stop: [] },
    ...(startBy !== undefined && { startBy: new Date(BEGIN + startBy) }),
    ...(finishBy !== undefined && { finishBy: new Date(BEGIN + finishBy) }),
    ...(Number.isFinite(first) && { deadlineAt: new Date(BEGIN + first) }),
  });
  const { _id: id } = record;
  const jobs = createJobsRepository(Job, () => new Date(clock.now));
  await jobs.insert(record);
  const known = new Map<string, number>();
  const run = { id, clock, state: stateOf(record), ends: 0, changeOf, takeStep, read };

  async function read(): Promise<JobState> {
    return stateOf((await Job.findOne({ _id: id }).lean()) as JobRecord);
  }

  function changeOf(taken: Step): JobChange | undefined {
    const { state } = run;
    if (taken.type === 'tick') return undefined;
    if (!('worker' in taken)) {
      if (!('behind' in taken)) return { type: taken.type };
      const fence = state.fence - taken.behind;
      return taken.type === 'expire' ? { type: 'expire', fence, status: state.status } : { type: taken.type, fence };
    }
    const { worker: by, pick, checkpoint } = taken;
    if (taken.type === 'claim') return { type: 'claim', worker: by };
    const fence = known.get(by);
    if (fence === undefined) return undefined;
    if (taken.type === 'renew') return { type: 'renew', fence, checkpoint };
    if (taken.type === 'release')
      return { type: 'release', fence, outcome: pick % 2 ? 'retried' : 'drained', checkpoint };
    return { type: 'finish', fence, status: FINAL_STATUSES[pick % FINAL_STATUSES.length] ?? 'completed' };
  }

  async function takeStep(taken: Step): Promise<void> {
    if (taken.type === 'tick') clock.now += taken.ms;
    const wanted = changeOf(taken);
    if (!wanted) return;
    const meant = apply(run.state, wanted, clock.now);
    const answer = await make(jobs, id, wanted, clock.now);
    expect({ answer: answer ?? undefined, state: await read() }).toEqual(meant);
    noteEnds(run.state, meant.state);
    run.state = meant.state;
    if (wanted.type === 'claim' && String(answer).startsWith('claimed')) known.set(wanted.worker, run.state.fence);
  }

  function noteEnds(before: JobState, after: JobState): void {
    if (before.ended === undefined && after.ended !== undefined) run.ends += 1;
    expect(run.ends).toBeLessThanOrEqual(after.retries + 1);
    expect(after.fence).toBeGreaterThanOrEqual(before.fence);
  }
  return run;
}

test('whatever workers, sweeps and owners do one after another, a record goes through the states that are meant', async () => {
  await fc.assert(
    fc.asyncProperty(
      deadlines,
      opening,
      fc.array(step, { minLength: 10, maxLength: 30 }),
      async (terms, begun, steps) => {
        const run = await startRun(terms);
        for (const taken of [...begun, ...steps]) await run.takeStep(taken);
        expect(await run.read()).toEqual(run.state);
      },
    ),
    { numRuns: runs },
  );
}, 600_000);

const atWork = new Set<Promise<unknown>>();
/** Lets one call reach the database, and the next only when that one is answered. */
const scheduler = fc.scheduler({
  async act(release) {
    await release();
    await new Promise(setImmediate);
    while (atWork.size > 0) {
      await Promise.allSettled(atWork);
      await new Promise(setImmediate);
    }
  },
});

/** The same model, each of whose calls goes to the database when the scheduler says so. */
function inTurns(s: fc.Scheduler): Model<JobRecord> {
  const inTurn = async <T>(call: () => Promise<T>): Promise<T> => {
    await s.schedule(Promise.resolve());
    const answer = call();
    atWork.add(answer);
    return answer.finally(() => atWork.delete(answer));
  };
  const jobs = jobCollection(Job);
  const calls = {
    collection: {
      updateOne: (...args: Parameters<typeof jobs.updateOne>) => inTurn(() => jobs.updateOne(...args)),
      findOne: (filter: object) => inTurn(() => jobs.findOne(filter)),
    },
    updateOne: (...args: Parameters<typeof Job.updateOne>) => inTurn(() => Job.updateOne(...args).exec()),
    updateMany: (...args: Parameters<typeof Job.updateMany>) => inTurn(() => Job.updateMany(...args).exec()),
    findOne: (filter: object, fields?: object) => ({
      lean: () => inTurn(async () => Job.findOne(filter, fields).lean()),
    }),
  };
  return calls as unknown as Model<JobRecord>;
}

test('what several do at the same time is as if they had done it one after another, in some order', async () => {
  const byFirst = fc.oneof(byWorker('renew'), byWorker('finish'), byWorker('release'));
  const together = fc.oneof(
    fc.array(change, { minLength: 2, maxLength: 4 }),
    // A takeover, just as the one who is late is heard of again.
    fc.tuple(
      fc.constant(claimBy('w1')),
      byFirst.map((late): Step => ({ ...late, worker: 'w0' })),
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      scheduler,
      deadlines,
      opening,
      fc.array(step, { maxLength: 4 }),
      together,
      async (s, terms, begun, before, atOnce) => {
        const run = await startRun(terms);
        for (const taken of [...begun, ...before]) await run.takeStep(taken);
        const changes = atOnce.map(run.changeOf).filter((wanted) => wanted !== undefined);
        const jobs = createJobsRepository(inTurns(s), () => new Date(run.clock.now));
        const answering = changes.map((wanted) => make(jobs, run.id, wanted, run.clock.now));
        await s.waitFor(Promise.all(answering));
        const seen = { answers: (await Promise.all(answering)).map(firm), state: settled(await run.read()) };
        const possible = orders(changes).map((order) => inOrder(run.state, changes, order, run.clock.now));
        expect(possible).toContainEqual(seen);
      },
    ),
    { numRuns: runs * 4 },
  );
}, 600_000);

/** What is asked of a job while its end is written is answered by either of the two; only who changed it counts. */
function firm(answer: unknown): unknown {
  return answer === 'cancel_requested' ? 'held' : (answer ?? undefined);
}
function settled(state: JobState): JobState {
  return state.ended === undefined ? state : { ...state, cancelRequested: false };
}

function inOrder(begin: JobState, changes: JobChange[], order: number[], now: number) {
  const answers: unknown[] = [];
  let state = begin;
  for (const index of order) {
    const meant = apply(state, changes[index] as JobChange, now);
    answers[index] = firm(meant.answer);
    state = meant.state;
  }
  return { answers, state: settled(state) };
}

function orders(items: unknown[]): number[][] {
  if (items.length === 0) return [[]];
  return orders(items.slice(1)).flatMap((order) =>
    Array.from({ length: order.length + 1 }, (_, at) => [
      ...order.slice(0, at).map((index) => index + 1),
      0,
      ...order.slice(at).map((index) => index + 1),
    ]),
  );
}
