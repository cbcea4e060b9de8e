import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { BatchOutputLine } from '@aigolos/contracts';
import type { JobContext, Processor } from '@aigolos/jobs';
import { audioClip, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import OpenAI, { NotFoundError, toFile } from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jobOf, said } from '../../../test/answers.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
let client: OpenAI;
beforeEach(async () => {
  house = await openHouse(redis, mongo, { BATCH_LINES_AT_ONCE: '2' });
  client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
});
afterEach(() => house.close());

type Batch = OpenAI.Batches.Batch;

const CHAT = '/v1/chat/completions';
const line = (id: string, body: object, fields: object = {}) => ({
  custom_id: id,
  method: 'POST',
  url: CHAT,
  body,
  ...fields,
});
const ask = (text: string) => ({ model: 'gpt-4o', messages: [{ role: 'user', content: text }] });

async function uploaded(lines: (object | string)[]): Promise<string> {
  const text = lines.map((one) => `${typeof one === 'string' ? one : JSON.stringify(one)}\n`).join('');
  return (await client.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' })).id;
}

async function begin(
  lines: (object | string)[],
  endpoint = CHAT,
  headers: Record<string, string> = {},
): Promise<Batch> {
  const given = {
    input_file_id: await uploaded(lines),
    completion_window: '24h',
    endpoint: endpoint as never,
  } as const;
  return client.batches.create({ ...given, metadata: { of: 'the test' } }, { headers });
}

function ended(id: string, from = client): Promise<Batch> {
  return waitUntil(`batch ${id} has ended`, async () => {
    const batch = await from.batches.retrieve(id);
    return ['completed', 'failed', 'expired', 'cancelled'].includes(batch.status) && batch;
  });
}

async function linesIn(file: string | null | undefined, from = client): Promise<BatchOutputLine[]> {
  if (!file) return [];
  const text = await (await from.files.content(file)).text();
  return text
    .split('\n')
    .filter(Boolean)
    .map((one) => JSON.parse(one) as BatchOutputLine);
}
const idsOf = (lines: BatchOutputLine[]) => lines.map(({ custom_id: id }) => id).toSorted();

const lastOf = ({ job }: JobContext<'chat'>) => job.task.messages.at(-1)?.content ?? '';
/** Says what it hears; what begins with "wait" waits until it is stopped or let go. */
function echo() {
  const runs: string[] = [];
  const stopped: string[] = [];
  const gate = Promise.withResolvers<void>();
  const process: Processor<'chat'> = async (context) => {
    const text = lastOf(context);
    runs.push(text);
    if (text.startsWith('wait')) {
      await Promise.race([gate.promise, once(context.signal)]);
      if (context.signal.aborted) stopped.push(text);
      context.signal.throwIfAborted();
    }
    return said(`you said ${text}`);
  };
  return { process, runs, stopped, letGo: gate.resolve };
}
const once = (signal: AbortSignal) =>
  new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));

describe('a batch', () => {
  test('makes each line a call: answers are in one file, refusals in the other, each under its custom_id', async () => {
    const { process } = echo();
    await house.work('chat', process);
    const batch = await begin([
      line('a', ask('one')),
      '',
      line('b', { ...ask('two'), temperature: 9 }),
      line('c', { ...ask('three'), stream: true }),
      line('d', { ...ask('four'), model: 'no-such' }),
      line('e', ask('five')),
    ]);
    expect(batch).toMatchObject({ object: 'batch', endpoint: CHAT, status: 'validating' });
    expect(batch.output_file_id).toBeUndefined();
    const done = await ended(batch.id);
    expect(done).toMatchObject({
      status: 'completed',
      request_counts: { total: 5, completed: 2, failed: 3 },
      usage: { input_tokens: 6, output_tokens: 4, total_tokens: 10 },
      metadata: { of: 'the test' },
    });
    const output = await linesIn(done.output_file_id);
    expect(idsOf(output)).toEqual(['a', 'e']);
    expect(output.find(({ custom_id: id }) => id === 'e')).toMatchObject({
      error: null,
      response: { status_code: 200, body: { choices: [{ message: { content: 'you said five' } }] } },
    });
    const errors = new Map((await linesIn(done.error_file_id)).map(({ custom_id: id, response }) => [id, response]));
    expect(errors.get('b')).toMatchObject({ status_code: 400, body: { error: { param: 'temperature' } } });
    expect(errors.get('c')).toMatchObject({ status_code: 400, body: { error: { param: 'stream' } } });
    expect(errors.get('d')).toMatchObject({ status_code: 404, body: { error: { code: 'model_not_found' } } });
    expect(await client.files.retrieve(done.output_file_id ?? '')).toMatchObject({ purpose: 'batch_output' });
    expect((await client.batches.list()).data.map(({ id }) => id)).toEqual([batch.id]);
    const found = await house.call(`/v1/jobs/${batch.id}/result`);
    expect(await found.json()).toMatchObject({ id: batch.id, object: 'batch', status: 'completed' });
  });

  test('is refused as a whole where one line is wrong, with the number of each such line, and runs none', async () => {
    const { process, runs } = echo();
    await house.work('chat', process);
    const { id } = await begin([
      line('a', ask('one')),
      '{"custom_id":',
      line('a', ask('two')),
      line('c', ask('three'), { method: 'GET' }),
      line('d', ask('four'), { url: '/v1/responses' }),
      line('', ask('five')),
      `{"custom_id":${'['.repeat(50_000)}`,
    ]);
    const { errors, ...batch } = await ended(id);
    expect(batch).toMatchObject({ status: 'failed', request_counts: { total: 0 } });
    expect(batch.output_file_id).toBeUndefined();
    expect(errors?.data?.map(({ line, code }) => [line, code])).toEqual([
      [2, 'invalid_json_line'],
      [3, 'duplicate_custom_id'],
      [4, 'invalid_method'],
      [5, 'invalid_url'],
      [6, 'invalid_request'],
      [7, 'invalid_json_line'],
    ]);
    expect(errors?.data?.[5]?.message).toMatch(/more than 100 lists and objects in one another/);
    expect(errors?.data?.[1]?.message).toBe('custom_id "a" is that of line 1 already.');
    expect(runs).toEqual([]);
  });

  test('takes audio by the id of a file, and gives it as a file', async () => {
    await house.work('transcription', async ({ job }) => ({
      result: {
        text: `${job.task.responseFormat} of ${job.task.audio.bytes}`,
        language: 'en',
        durationSeconds: 2,
        segments: [],
        words: [],
      },
      usage: { audioSeconds: 2 },
      warnings: [],
    }));
    const clip = await readFile(audioClip('count'));
    const audio = await client.files.create({ file: await toFile(clip, 'count.wav'), purpose: 'user_data' });
    const url = '/v1/audio/transcriptions';
    const body = { model: 'whisper-1', file: audio.id, temperature: 0.5 };
    const heard = await ended(
      (
        await begin(
          [
            line('json', body, { url }),
            line('text', { ...body, response_format: 'text' }, { url }),
            line('none', { model: 'whisper-1' }, { url }),
            line('gone', { ...body, file: 'file_1' }, { url }),
          ],
          url,
        )
      ).id,
    );
    const texts = new Map(
      (await linesIn(heard.output_file_id)).map(({ custom_id: id, response }) => [id, response?.body]),
    );
    expect(texts.get('json')).toMatchObject({ text: `json of ${clip.length}` });
    expect(texts.get('text')).toBe(`text of ${clip.length}`);
    expect(idsOf(await linesIn(heard.error_file_id))).toEqual(['gone', 'none']);

    await house.work('speech', async ({ job: { _id, fence, task } }) => {
      const file = await house.blobs.receive(Readable.from([task.input]), { maxBytes: 10_000 });
      await house.blobs.commit(file, `${_id}/output-${fence}.mp3`);
      const sound = { blobKey: `${_id}/output-${fence}.mp3`, contentType: 'audio/mpeg', bytes: file.bytes };
      return { result: { ...sound, durationSeconds: 1 }, usage: {}, warnings: [] };
    });
    const speak = { model: 'tts-1', voice: 'alloy', input: 'good morning' };
    const spoken = await ended((await begin([line('s', speak, { url: '/v1/audio/speech' })], '/v1/audio/speech')).id);
    const [answer] = await linesIn(spoken.output_file_id);
    const { file_id: file = '' } = (answer?.response?.body ?? {}) as { file_id?: string };
    expect(await (await client.files.content(file)).text()).toBe('good morning');
  });
});

describe('a batch that is cut off', () => {
  test('when it is cancelled keeps what is done, stops what runs, and says so of the rest', async () => {
    const { process, runs, stopped } = echo();
    await house.work('chat', process);
    const { id } = await begin([
      line('a', ask('one')),
      line('b', ask('wait 1')),
      line('c', ask('wait 2')),
      line('d', ask('never')),
    ]);
    await waitUntil('two lines run', async () => runs.includes('wait 1') && runs.includes('wait 2'));
    expect((await client.batches.cancel(id)).status).toMatch(/^cancell(ing|ed)$/);
    const batch = await ended(id);
    expect(batch).toMatchObject({ status: 'cancelled', request_counts: { total: 4, completed: 1, failed: 3 } });
    expect(idsOf(await linesIn(batch.output_file_id))).toEqual(['a']);
    const errors = await linesIn(batch.error_file_id);
    expect(idsOf(errors)).toEqual(['b', 'c', 'd']);
    for (const { error, response } of errors) expect([error?.code, response]).toEqual(['batch_cancelled', null]);
    expect(stopped.toSorted()).toEqual(['wait 1', 'wait 2']);
    expect(runs).not.toContain('never');
    expect((await client.batches.cancel(id)).status).toBe('cancelled');
  });

  test('is wound up at once, however many of its lines are left', async () => {
    // More than are kept in memory.
    const { id } = await begin(Array.from({ length: 600 }, (_, index) => line(`${index}`, ask('never'))));
    await client.batches.cancel(id);
    const batch = await ended(id);
    expect(batch).toMatchObject({ status: 'cancelled', request_counts: { total: 600, completed: 0, failed: 600 } });
    expect(new Set(idsOf(await linesIn(batch.error_file_id))).size).toBe(600);
    expect(await jobOf(house, id)).toMatchObject({ attempt: 1 });
  });

  test('when its window ends keeps what is done, and says of the rest that it expired', async () => {
    const { process } = echo();
    await house.work('chat', process);
    const { id } = await begin([line('a', ask('one')), line('b', ask('wait'))], CHAT, { 'X-Finish-By': '2' });
    const batch = await ended(id);
    expect(batch).toMatchObject({ status: 'expired', request_counts: { total: 2, completed: 1, failed: 1 } });
    const [error] = await linesIn(batch.error_file_id);
    expect(error).toMatchObject({ custom_id: 'b', response: null, error: { code: 'batch_expired' } });
  });

  test('when its gateway stops is gone on with by another one, each line done once', async () => {
    const { process, runs, letGo } = echo();
    await house.work('chat', process);
    const lines = Array.from({ length: 12 }, (_, index) =>
      line(`${index}`, ask(index === 5 ? 'wait' : `say ${index}`)),
    );
    const { id } = await begin(lines);
    await waitUntil('a line runs', async () => runs.includes('wait') && runs.length > 8);
    const another = await house.restart();
    const other = new OpenAI({ baseURL: `${another.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
    letGo();
    const batch = await ended(id, other);
    expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 12, completed: 12, failed: 0 } });
    expect(idsOf(await linesIn(batch.output_file_id, other))).toEqual(idsOf(lines as never));
    expect(runs.toSorted()).toEqual([...new Set(runs)].toSorted());
    expect(runs).toHaveLength(12);
  });

  test('while it waits, cancelled, ends all the same', async () => {
    const file = await uploaded([line('a', ask('wait'))]);
    const batch = await client.batches.create({ input_file_id: file, endpoint: CHAT, completion_window: '24h' });
    await client.batches.cancel(batch.id);
    // No worker for chats is there: its line is stopped where it waits.
    expect(await ended(batch.id)).toMatchObject({ status: 'cancelled', request_counts: { completed: 0 } });
    const jobs = (await (await house.call('/v1/jobs?kind=chat')).json()) as { data: { status: string }[] };
    expect(jobs.data.every(({ status }) => status === 'cancelled')).toBe(true);
  });
});

describe('what belongs to a batch', () => {
  test('is deleted with it: the jobs of its lines and its files', async () => {
    const { process } = echo();
    await house.work('chat', process);
    const { id } = await begin([line('a', ask('one')), line('b', { ...ask('two'), temperature: 9 })]);
    const batch = await ended(id);
    expect((await house.call(`/v1/jobs/${id}`, { method: 'DELETE' })).status).toBe(200);
    for (const file of [batch.output_file_id, batch.error_file_id]) {
      await expect(client.files.retrieve(file ?? '')).rejects.toThrow(NotFoundError);
    }
    expect(await (await house.call('/v1/jobs')).json()).toMatchObject({ data: [] });
    expect(await client.files.retrieve(batch.input_file_id)).toMatchObject({ purpose: 'batch' });
  });

  test('is nobody else’s, and a repeated request under its key is the same batch', async () => {
    const { process } = echo();
    await house.work('chat', process);
    const file = await uploaded([line('a', ask('one'))]);
    const given = { input_file_id: file, endpoint: CHAT, completion_window: '24h' } as const;
    const headers = { 'Idempotency-Key': 'once' };
    const [first, again] = await Promise.all([0, 1].map(() => client.batches.create(given, { headers })));
    expect(again?.id).toBe(first?.id);
    const stranger = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.stranger, maxRetries: 0 });
    await expect(stranger.batches.retrieve(first?.id ?? '')).rejects.toThrow(NotFoundError);
    await expect(stranger.batches.cancel(first?.id ?? '')).rejects.toThrow(NotFoundError);
    await expect(stranger.batches.create(given)).rejects.toThrow(NotFoundError);
    await ended(first?.id ?? '');
  });

  test('needs a file that was uploaded for it, and a route that it can call', async () => {
    const file = await client.files.create({ file: await toFile(Buffer.from('{}\n'), 'x'), purpose: 'user_data' });
    const wrong = await house.post('/v1/batches', { input_file_id: file.id, endpoint: CHAT, completion_window: '24h' });
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { error: { param: 'input_file_id' } }]);
    const body = { input_file_id: file.id, endpoint: '/v1/embeddings', completion_window: '48h' };
    const { error } = (await (await house.post('/v1/batches', body)).json()) as { error: { message: string } };
    expect(error.message).toContain('endpoint: must be one of /v1/chat/completions, /v1/responses');
    expect(error.message).toContain('completion_window: must be "24h"');
  });
});
