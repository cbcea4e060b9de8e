import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  type AccountView,
  type ChatCompletion,
  type JobList,
  type JobView,
  newId,
  type OpenAIErrorBody,
  type Problem,
} from '@aigolos/contracts';
import { type JobRecord, newJobRecord } from '@aigolos/db';
import { audioClip, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CHAT, jobOf, said } from './answers.ts';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
const DAY = 24 * 60 * 60;
const SPEECH = { model: 'tts-1', voice: 'alloy', input: 'hi' };
const INSTALLATION = { input: 80 * DAY, result: 70 * DAY, output: 60 * DAY, conversation: 90 * DAY };

let house: House;
beforeAll(async () => {
  house = await openHouse(redis, mongo, { RETENTION: 'input=80d, result=70d, output=60d' });
  await house.work('chat', async () => said('hello'));
  await house.work('transcription', async () => ({
    result: { text: 'one', language: 'en', durationSeconds: 1, segments: [], words: [] },
    usage: {},
    warnings: [],
  }));
  await house.work('speech', async ({ job }) => {
    const blobKey = `${job._id}/output-${job.fence}.mp3`;
    await store(blobKey);
    return { result: { blobKey, contentType: 'audio/mpeg', bytes: 6, durationSeconds: 1 }, usage: {}, warnings: [] };
  });
});
afterAll(() => house.close());
afterEach(() => house.db.access.setRetention(house.account, {}));

const patch = (body: unknown) =>
  house.call('/v1/account', {
    method: 'PATCH',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
const jobIn = (response: Response) => jobOf(house, response.headers.get('x-job-id') ?? '');
/** Seconds from a job's end until then. */
const after = (job: JobView, at: number | null) => at && at - (job.finished_at ?? 0);

async function transcribe(fields: Record<string, string> = {}, headers: Record<string, string> = {}) {
  const form = new FormData();
  form.append('file', new Blob([await readFile(audioClip('count'))]), 'count.wav');
  for (const [name, value] of Object.entries({ model: 'whisper-1', ...fields })) form.append(name, value);
  return house.call('/v1/audio/transcriptions', { method: 'POST', body: form, headers });
}

describe('retention', () => {
  test('is what the installation says, unless the account or the request says otherwise', async () => {
    const plain = await jobIn(await house.post('/v1/chat/completions', CHAT));
    expect(plain.retention).toEqual(INSTALLATION);
    expect(after(plain, plain.expires_at)).toBe(70 * DAY);
    expect((await patch({ retention: { result: '30d', input: 'never' } })).status).toBe(200);
    const asAccount = await jobIn(await house.post('/v1/chat/completions', CHAT));
    expect(asAccount.retention).toEqual({ ...INSTALLATION, result: 30 * DAY, input: null });
    const body = { ...CHAT, retention: { result: '1d' } };
    const headers = { 'x-retention': 'result=2d, input=0' };
    const asRequest = await jobIn(await house.post('/v1/chat/completions', body, headers));
    expect(asRequest.retention).toEqual({ ...INSTALLATION, result: DAY, input: 0 });
    expect(after(asRequest, asRequest.expires_at)).toBe(DAY);
  });

  test('is read from the header and the field of every request that makes work', async () => {
    const headers = { 'x-retention': 'output=1d' };
    const spoken = await jobIn(await house.post('/v1/audio/speech', { ...SPEECH, retention: 'result=2d' }, headers));
    expect(spoken.retention).toMatchObject({ output: DAY, result: 2 * DAY });
    expect(
      [spoken.expires_at, spoken.input_expires_at, spoken.output_expires_at].map((at) => after(spoken, at)),
    ).toEqual([2 * DAY, null, DAY]);
    const heard = await jobIn(await transcribe({ retention: 'input=0' }, { 'x-retention': 'result=2d' }));
    expect(heard.retention).toMatchObject({ input: 0, result: 2 * DAY });
    expect([heard.input_expires_at, heard.output_expires_at].map((at) => after(heard, at))).toEqual([0, null]);
  });

  test('that cannot be is refused, and nothing is left of the request', async () => {
    const before = await house.files();
    const refusals = await Promise.all([
      house.post('/v1/chat/completions', CHAT, { 'x-retention': 'results=1d' }),
      house.post('/v1/chat/completions', { ...CHAT, retention: { result: '91d' } }),
      house.post('/v1/audio/speech', { ...SPEECH, retention: 'output=soon' }),
      transcribe({ retention: 'input=-1' }),
      transcribe({}, { 'x-retention': 'input=1w' }),
      transcribe({ retention: 'result=91d' }),
    ]);
    expect(refusals.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 400]);
    const errors = (await Promise.all(refusals.map((refusal) => refusal.json()))) as OpenAIErrorBody[];
    expect(errors.map(({ error }) => error.message)).toEqual([
      'X-Retention: retention has no part "results"; its parts are input, result, output, conversation, as in "input=0, result=30d"',
      'result must be 60s to 90d, or never, not 91d',
      'retention.output: output must be a whole number with s, m, h or d such as 30d, or never, not "soon"',
      'retention.input: input must be a whole number with s, m, h or d such as 30d, or never, not "-1"',
      'X-Retention: input must be a whole number with s, m, h or d such as 30d, or never, not "1w"',
      'result must be 60s to 90d, or never, not 91d',
    ]);
    expect(await house.files()).toEqual(before);
  });

  test('is told in every body, and beside those that cannot say it', async () => {
    const chat = await house.post('/v1/chat/completions', CHAT);
    const { expires_at: expiresAt } = (await chat.json()) as ChatCompletion;
    expect(expiresAt).toBe((await jobIn(chat)).expires_at);
    const stream = await (await house.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
    expect(stream).toMatch(/"finish_reason":"stop"\}\],"expires_at":\d+/);
    for (const response of [
      await house.post('/v1/audio/speech', SPEECH),
      await transcribe({ response_format: 'text' }),
    ]) {
      expect(Number(response.headers.get('x-expires-at'))).toBe((await jobIn(response)).expires_at);
    }
    const kept = await house.post('/v1/audio/speech', SPEECH, { 'x-retention': 'result=never' });
    expect(kept.headers.get('x-expires-at')).toBeNull();
    expect((await jobIn(kept)).expires_at).toBeNull();
    const queued = await house.post('/v1/audio/speech', SPEECH, { prefer: 'respond-async' });
    expect((await queued.json()) as JobView).toMatchObject({ expires_at: null, retention: INSTALLATION });
  });
});

describe('an account', () => {
  test('shows what it has set and what follows from it', async () => {
    const { retention, effective_retention, ...rest } = (await (await house.call('/v1/account')).json()) as AccountView;
    expect(rest).toMatchObject({ id: house.account, object: 'account', username: 'test' });
    expect([retention, effective_retention]).toEqual([{}, INSTALLATION]);
    await patch({ retention: { input: '0', conversation: null } });
    const answer = await patch({ retention: 'output=1h' });
    expect(await answer.json()).toMatchObject({
      retention: { output: 3_600 },
      effective_retention: { ...INSTALLATION, output: 3_600 },
    });
  });

  test.each([
    [{ retention: { input: 'x' } }, 'retention.input: input must be a whole number'],
    [{ retention: { result: 5 } }, 'retention.result: result must be 60s'],
    [{ retention: { result: '91d' } }, 'result must be 60s to 90d, or never, not 91d'],
    [{ retentions: {} }, 'retention must be a text such as'],
    [{ retention: {}, username: 'x' }, 'the body must be an object with the field retention alone'],
  ])('does not take %j', async (body, why) => {
    const answer = await patch(body);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(((await answer.json()) as Problem).detail).toContain(why);
    expect((await house.db.access.accountById(house.account))?.retention).toEqual({});
  });
});

describe('what has expired is gone before it is deleted', () => {
  test('a job, its result, and from the list', async () => {
    const result = { text: 'hello', finishReason: 'stop' as const };
    const task = { model: 'test-llm', messages: [], stop: [] };
    const id = await insert({ kind: 'chat', task, result, expiresAt: new Date(Date.now() + 1_500) });
    const statuses = () =>
      Promise.all(['', '/result'].map(async (path) => (await house.call(`/v1/jobs/${id}${path}`)).status));
    expect(await statuses()).toEqual([200, 200]);
    // Read all the time, so that it is read from the cache when its time comes.
    await waitUntil('it is gone', async () => (await statuses()).join() === '404,404');
    expect((await house.call(`/v1/jobs?after=${id}`)).status).toBe(404);
    const { data } = (await (await house.call('/v1/jobs?limit=100')).json()) as JobList;
    expect(data.length).toBeGreaterThan(0);
    expect(data.map((job) => job.id)).not.toContain(id);
    const late = Date.now() - ((await house.db.jobs.find(id))?.expiresAt?.getTime() ?? 0);
    expect(late).toBeLessThan(500);
  });

  test('an output', async () => {
    const blobKey = `${newId('speech')}/output-1.mp3`;
    await store(blobKey);
    const result = { blobKey, contentType: 'audio/mpeg', bytes: 6, durationSeconds: 1 };
    const task = { model: 'test-tts', voice: 'joe', input: 'hi', format: 'mp3' as const, speed: 1 };
    const made = { kind: 'speech', task, result } as const;
    const [there, due] = [await insert(made), await insert({ ...made, outputExpiresAt: new Date() })];
    expect((await house.call(`/v1/jobs/${there}/result`)).status).toBe(200);
    const answer = await house.call(`/v1/jobs/${due}/result`);
    expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([410, 'RESULT_NOT_AVAILABLE']);
    expect((await house.call(`/v1/jobs/${due}`)).status).toBe(200);
  });

  test('a conversation, which is kept as long after its last turn as its first request has asked for', async () => {
    const turn = { ...CHAT, conversation: 'new', retention: { conversation: '1h' } };
    const { conversation } = (await (await house.post('/v1/chat/completions', turn)).json()) as ChatCompletion;
    const next = await house.post('/v1/chat/completions', { ...CHAT, conversation });
    expect((await jobIn(next)).retention.conversation).toBe(3_600);
    const found = await house.db.conversations.findOwned(house.account, conversation?.id ?? '');
    expect(((found?.expiresAt?.getTime() ?? 0) - Date.now()) / 1_000).toBeCloseTo(3_600, -2);
    await house.db.conversations.close({ _id: conversation?.id ?? '', nextTurn: 2 });
    expect((await house.post('/v1/chat/completions', { ...CHAT, conversation })).status).toBe(404);
  });
});

async function store(key: string): Promise<void> {
  await house.blobs.commit(await house.blobs.receive(Readable.from(['spoken']), { maxBytes: 99 }), key);
}

async function insert<Kind extends 'chat' | 'speech'>(
  fields: Pick<JobRecord<Kind>, 'kind' | 'task'> & Partial<JobRecord<Kind>>,
): Promise<string> {
  const { account } = house;
  const job = newJobRecord({
    _id: newId(fields.kind),
    account,
    status: 'completed',
    finishedAt: new Date(),
    ...fields,
  });
  await house.db.jobs.insert(job);
  return job._id;
}
