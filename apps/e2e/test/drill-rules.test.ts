import { type AnyJobRecord, type MessageRecord, newJobRecord } from '@aigolos/db';
import { describe, expect, test } from 'vitest';
import { planFaults } from '../drill/faults/schedule.ts';
import type { Case } from '../drill/invariants/case.ts';
import { findViolations } from '../drill/invariants/index.ts';
import { createJournal } from '../drill/journal.ts';
import { sha256 } from '../drill/load/answer.ts';
import type { Operation } from '../drill/load/operations.ts';
import { planLoad } from '../drill/load/plan.ts';
import { createRandom } from '../drill/random.ts';
import { slopePer, valleys } from '../drill/soak/slope.ts';

const OP = 'turn';
const JOB = 'cht_1';
const QUESTION = `${OP}: hello`;
const ANSWER = `echo(1): ${QUESTION}`;
const END = new Date(1_700_000_000_000);
const USAGE = { promptTokens: 2, completionTokens: 3 };

/** A conversation of one turn, as everything should be; what a test changes is what it is about. */
function healthy() {
  const operation: Operation = {
    id: OP,
    atMs: 0,
    kind: 'chat',
    text: QUESTION,
    conversation: 'conversation',
    turn: 0,
    manner: 'async',
    hasKey: true,
  };
  const job = newJobRecord<'chat'>({
    _id: JOB,
    kind: 'chat',
    account: 'acc_1',
    status: 'completed',
    task: { model: 'test-llm', messages: [{ role: 'user', content: QUESTION }], stop: [] },
    result: { text: ANSWER, finishReason: 'stop' },
    usage: USAGE,
    fence: 1,
    finishedAt: END,
    conversation: 'conv_1',
    turn: 0,
  }) as AnyJobRecord;
  const message = { conversation: 'conv_1', account: 'acc_1', job: JOB, createdAt: END };
  const messages: MessageRecord[] = [
    { ...message, _id: 'msg_0', seq: 0, role: 'user', content: QUESTION },
    { ...message, _id: 'msg_1', seq: 1, role: 'assistant', content: ANSWER },
  ];
  const journal = createJournal();
  const seen = { job: JOB, finishedAt: END.getTime() / 1_000, usage: '{"prompt_tokens":2,"completion_tokens":3}' };
  const hook = { id: 'evt_1', event: 'job.completed', job: JOB, body: '{}', answered: '200' };
  journal.write({ type: 'sent', op: OP, attempt: 1 });
  journal.write({ type: 'acknowledged', op: OP, job: JOB, http: 202, ms: 1 });
  journal.write({ type: 'seen', op: OP, askedAt: 0, ...seen, status: 'completed' });
  journal.write({ type: 'result', op: OP, job: JOB, sha256: sha256(ANSWER), begin: ANSWER });
  journal.write({ type: 'webhook', ...hook });
  const evidence = {
    jobs: new Map([[JOB, job]]),
    messages,
    deliveries: [],
    files: [],
    blobs: new Set<string>(),
    blobDir: '',
    queued: [] as string[],
  };
  const given: Case = { operations: new Map([[OP, operation]]), journal, evidence };
  return { given, job, messages, journal, evidence, seen, hook };
}
type Healthy = ReturnType<typeof healthy>;

test('where everything is as promised the drill finds nothing', async () => {
  expect(await findViolations(healthy().given)).toEqual([]);
});

const WRONGS: Record<string, (at: Healthy) => unknown> = {
  lost: ({ evidence }) => evidence.jobs.delete(JOB),
  'lost ': ({ job }) => Object.assign(job, { status: 'queued' }),
  changed_after_end: ({ journal, seen }) =>
    journal.write({ type: 'seen', op: OP, askedAt: Date.now() + 1, ...seen, status: 'queued' }),
  'changed_after_end ': ({ job }) => Object.assign(job, { finishedAt: new Date(END.getTime() + 2_000) }),
  wrong_state: ({ job }) => Object.assign(job, { status: 'cancelled' }),
  refused: ({ journal }) => journal.write({ type: 'refused', op: OP, http: 400, code: 'VALIDATION_FAILED', ms: 1 }),
  result: ({ job }) => Object.assign(job, { result: { text: 'another', finishReason: 'stop' } }),
  'result ': ({ journal }) => journal.write({ type: 'result', op: OP, job: JOB, sha256: sha256('x'), begin: 'x' }),
  usage: ({ job }) => Object.assign(job, { usage: { ...USAGE, completionTokens: 6 } }),
  messages: ({ messages }) => messages.push({ ...messages[1]!, _id: 'msg_2', seq: 2 }),
  'messages ': ({ messages }) => messages.splice(0),
  webhook: ({ journal, hook }) => journal.write({ type: 'webhook', ...hook, id: 'evt_2' }),
  'webhook ': ({ journal, hook }) => journal.write({ type: 'webhook', ...hook, event: 'job.failed' }),
  webhook_lost: ({ given: { journal } }) =>
    (journal.lines as unknown[]).splice(
      journal.lines.findIndex(({ type }) => type === 'webhook'),
      1,
    ),
  file_left: ({ evidence }) => evidence.blobs.add('trn_1/input'),
  queue: ({ evidence }) => evidence.queued.push(`llm/wait/${JOB}`),
  doubled: ({ evidence, job }) => evidence.jobs.set('cht_2', { ...job, _id: 'cht_2' }),
};

describe('each rule finds', () => {
  test.each(Object.entries(WRONGS))('%s', async (rule, spoil) => {
    const at = healthy();
    spoil(at);
    expect((await findViolations(at.given)).map((violation) => violation.rule)).toContain(rule.trim());
  });
});

test('the same seed is the same load and the same faults, another seed is another', () => {
  const apps = { 'worker-asr': 2, 'worker-llm': 2, 'worker-tts': 2 };
  const plan = (seed: number) => [
    planLoad(createRandom(seed).fork('load'), { jobs: 200, durationMs: 10_000 }),
    planFaults(createRandom(seed).fork('faults'), { faults: 30, durationMs: 10_000, outageMs: 1, apps }),
  ];
  expect(plan(1)).toEqual(plan(1));
  expect(plan(1)).not.toEqual(plan(2));
});

test.each([1, 2])('a load as short as that of the tests has each kind of both (seed %i)', (seed) => {
  const load = planLoad(createRandom(seed).fork('load'), { jobs: 60, durationMs: 10_000 });
  const turns = load.filter(({ kind }) => kind === 'voice-turn');
  expect(new Set(turns.map((turn) => 'conversation' in turn))).toEqual(new Set([true, false]));
  const batches = load.filter(({ kind }) => kind === 'batch');
  expect(new Set(batches.map(({ cancelAfterMs }) => cancelAfterMs !== undefined))).toEqual(new Set([true, false]));
});

test('what grows is told from what goes up and down', () => {
  const samples = (grow: number) =>
    Array.from({ length: 100 }, (_, index) => ({ jobs: index * 100, value: 50 + (index % 10) + grow * index * 0.01 }));
  expect(slopePer(10_000, valleys(samples(0), 1_000))).toBeCloseTo(0, 5);
  expect(slopePer(10_000, valleys(samples(2), 1_000))).toBeCloseTo(2, 5);
});
