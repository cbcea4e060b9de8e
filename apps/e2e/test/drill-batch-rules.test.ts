import type { BatchOutputLine } from '@aigolos/contracts';
import { newJobRecord } from '@aigolos/db';
import { describe, expect, test } from 'vitest';
import { expectedAnswer } from '../drill/expected.ts';
import { findViolations } from '../drill/invariants/index.ts';
import { type BatchOperation, operationsOfLines } from '../drill/load/batches.ts';
import { END, ENDED, emptyCase } from './empty-case.ts';

const BATCH = 'batch_1';
const lineOf = (id: string, isRefused = false) => ({ id, text: `${id}: hello`, isRefused });
const OPERATION: BatchOperation = {
  id: 'whole',
  atMs: 0,
  kind: 'batch',
  manner: 'async',
  hasKey: true,
  endpoint: '/v1/chat/completions',
  lines: [lineOf('one'), lineOf('two'), lineOf('three', true)],
  cancelAfterMs: 1,
};

/** A batch of two chats and a line that is refused, as everything should be. */
async function healthyBatch() {
  const house = await emptyCase([OPERATION, ...operationsOfLines(OPERATION)]);
  const { evidence, journal } = house;
  const output: BatchOutputLine[] = [];
  for (const [place, { id, text }] of OPERATION.lines.slice(0, 2).entries()) {
    const messages = [{ role: 'user' as const, content: text }];
    const { text: answer, ...usage } = await expectedAnswer(messages);
    const _id = `cht_${id}`;
    const job = newJobRecord<'chat'>({
      ...ENDED,
      _id,
      kind: 'chat',
      task: { model: 'test-llm', messages, stop: [] },
      result: { text: answer, finishReason: 'stop' },
      usage: { promptTokens: usage.promptTokens, completionTokens: usage.completionTokens },
      batch: BATCH,
      idempotencyKey: `batch:${BATCH}:0:${place + 1}`,
    });
    evidence.jobs.set(_id, job);
    const body = { choices: [{ message: { content: answer } }] };
    output.push({ id, custom_id: id, response: { status_code: 200, request_id: _id, body }, error: null });
  }
  const refused = { status_code: 400, request_id: 'x', body: {} };
  const errors: BatchOutputLine[] = [{ id: 'three', custom_id: 'three', response: refused, error: null }];
  const lines = { output, errors };
  const used = (field: 'promptTokens' | 'completionTokens') =>
    [...evidence.jobs.values()].reduce((sum, { usage }) => sum + (usage?.[field] ?? 0), 0);
  const batch = newJobRecord<'batch'>({
    ...ENDED,
    _id: BATCH,
    kind: 'batch',
    task: { endpoint: OPERATION.endpoint, inputFile: 'file_in', completionWindow: '24h', windowEndsAt: 0 },
    metadata: { operation: OPERATION.id },
    result: {
      counts: { total: 3, completed: 2, failed: 1 },
      outputFile: 'file_o',
      errorFile: 'file_e',
      usage: { promptTokens: used('promptTokens'), completionTokens: used('completionTokens') },
      problems: [],
    },
    usage: {},
  });
  evidence.jobs.set(BATCH, batch);
  journal.write({ type: 'acknowledged', op: OPERATION.id, job: BATCH, http: 200, ms: 1 });
  house.tell(BATCH);
  return { ...house, batch, lines };
}
type HealthyBatch = Awaited<ReturnType<typeof healthyBatch>>;

/** The files are written last, so that a test can spoil what stands in them. */
async function judge({ given, evidence, put, lines }: HealthyBatch): Promise<string[]> {
  const made = {
    account: 'acc_1',
    purpose: 'batch_output',
    filename: 'x',
    bytes: 1,
    sha256: '',
    createdAt: END,
  } as const;
  for (const [_id, content] of [
    ['file_o', lines.output],
    ['file_e', lines.errors],
  ] as const) {
    const blobKey = `${_id}/content-1`;
    await put(blobKey, content.map((one) => `${JSON.stringify(one)}\n`).join(''));
    evidence.files.push({ ...made, _id, blobKey, madeBy: { job: BATCH, fence: 1 } });
  }
  return (await findViolations(given)).map(({ rule }) => rule);
}

const notCalled = (id: string): BatchOutputLine => ({
  id,
  custom_id: id,
  response: null,
  error: { code: 'batch_cancelled', message: '' },
});

/** Cancelled while one of its lines ran. */
function cancelled(at: HealthyBatch): void {
  Object.assign(at.batch, { status: 'cancelled' });
  Object.assign(at.journal.of('webhook')[0]!, { event: 'job.cancelled' });
  const stopped = at.evidence.jobs.get('cht_two')!;
  const { promptTokens = 0, completionTokens = 0 } = stopped.usage ?? {};
  Object.assign(stopped, { status: 'cancelled' });
  delete stopped.result;
  const { usage } = at.batch.result!;
  Object.assign(at.batch.result!, {
    counts: { total: 3, completed: 1, failed: 2 },
    usage: {
      promptTokens: (usage.promptTokens ?? 0) - promptTokens,
      completionTokens: (usage.completionTokens ?? 0) - completionTokens,
    },
  });
  at.lines.output.splice(1);
  at.lines.errors.push(notCalled('two'));
}

describe('of a batch', () => {
  test('nothing is found where everything is as promised, whether it was carried out or cancelled', async () => {
    expect(await judge(await healthyBatch())).toEqual([]);
    const other = await healthyBatch();
    cancelled(other);
    expect(await judge(other)).toEqual([]);
  });

  test.each<[string, string, (at: HealthyBatch) => unknown]>([
    ['a line that is told of twice', 'batch', ({ lines }) => lines.output.push(lines.output[0]!)],
    ['a line that is told of nowhere', 'batch', ({ lines }) => lines.errors.splice(0)],
    [
      'another answer than its job has',
      'batch',
      ({ lines }) => Object.assign(lines.output[0]!.response!, { body: { choices: [{ message: { content: 'x' } }] } }),
    ],
    [
      'the job of another line',
      'batch',
      ({ lines }) => Object.assign(lines.output[0]!.response!, { request_id: 'cht_two' }),
    ],
    [
      'a line that was done and is told not to be',
      'batch',
      (at) => {
        cancelled(at);
        at.evidence.jobs.get('cht_two')!.status = 'completed';
      },
    ],
    [
      'a line that was to be refused',
      'batch',
      ({ lines }) => Object.assign(lines.errors[0]!.response!, { status_code: 500 }),
    ],
    ['usage that is counted twice', 'batch', ({ batch }) => Object.assign(batch.result!.usage, { promptTokens: 99 })],
    ['usage of its own', 'usage', ({ batch }) => Object.assign(batch, { usage: { promptTokens: 1 } })],
    [
      'a line under another key',
      'batch',
      ({ evidence }) => Object.assign(evidence.jobs.get('cht_one')!, { idempotencyKey: `batch:${BATCH}:1:1` }),
    ],
    [
      'a line that runs on',
      'batch',
      ({ evidence }) => Object.assign(evidence.jobs.get('cht_one')!, { status: 'queued' }),
    ],
    [
      'a line that became two jobs',
      'doubled',
      ({ evidence }) => evidence.jobs.set('cht_again', { ...evidence.jobs.get('cht_one')!, _id: 'cht_again' }),
    ],
    ['a webhook about a line', 'webhook', ({ tell }) => tell('cht_one')],
    [
      'no webhook about itself',
      'webhook_lost',
      ({ journal }) => Object.assign(journal.of('webhook')[0]!, { answered: '500' }),
    ],
    [
      'a file that nobody knows of',
      'file_left',
      async ({ evidence, put }) => {
        await put('file_x/content-1', 'x');
        const madeBy = { job: BATCH, fence: 1 };
        evidence.files.push({
          _id: 'file_x',
          account: 'acc_1',
          purpose: 'batch_output',
          filename: 'x',
          blobKey: 'file_x/content-1',
          bytes: 1,
          sha256: '',
          createdAt: END,
          madeBy,
        });
      },
    ],
    ['a piece that it has left', 'file_left', ({ put }) => put(`${BATCH}/output-1-0`, 'x')],
  ])('%s is found', async (_what, rule, spoil) => {
    const at = await healthyBatch();
    await spoil(at);
    expect(await judge(at)).toContain(rule);
  });
});
