import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { LimitsViewSchema, type TranscriptionTask } from '@aigolos/contracts';
import type { Processor } from '@aigolos/jobs';
import { audioClip, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type House, openHouse } from '../../../test/harness.ts';
import { readCues } from '../../../test/subtitles.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
const open = async (settings: Record<string, string> = {}) => {
  house = await openHouse(redis, mongo, settings);
};

const PATH = '/v1/audio/transcriptions';
const SEGMENT = {
  id: 0,
  seek: 0,
  start: 0,
  end: 2.5,
  text: ' one two three',
  tokens: [1],
  temperature: 0,
  avg_logprob: -0.2,
  compression_ratio: 1,
  no_speech_prob: 0,
};
const WORD = { word: 'one', start: 0, end: 1 };
const tasks: TranscriptionTask[] = [];
const transcribe: Processor<'transcription'> = async ({ job: { task } }) => {
  tasks.push(task);
  const result = { text: 'one two three', language: 'en', durationSeconds: 2.7, segments: [SEGMENT], words: [WORD] };
  return { result, usage: { audioSeconds: 2.7 }, warnings: [] };
};

type Part = [name: string, value: string | Blob];
const count = async (): Promise<Part> => ['file', new File([await readFile(audioClip('count'))], 'x.wav')];
const send = (parts: Part[], headers: Record<string, string> = {}) => {
  const form = new FormData();
  for (const [name, value] of parts) form.append(name, value);
  return house.call(PATH, { method: 'POST', body: form, headers });
};
const model: Part = ['model', 'whisper-1'];
const leftBehind = async () => {
  const jobs = await house.db.jobs.list({ account: house.account, limit: 1 });
  return { ...(await house.files()), jobs };
};
const NOTHING = { spool: [], blobs: [], jobs: [] };

describe('a transcription', () => {
  beforeAll(async () => {
    await open();
    await house.work('transcription', transcribe);
  });
  afterAll(() => house.close());

  test('answers text and usage, and keeps the audio as it was sent', async () => {
    const response = await send([await count(), model]);
    expect(response.status).toBe(200);
    const usage = { type: 'duration', seconds: 3 };
    expect(await response.json()).toEqual({ text: 'one two three', usage, expires_at: expect.any(Number) });
    const id = response.headers.get('x-job-id') ?? '';
    expect(await house.files()).toEqual({ spool: [], blobs: expect.arrayContaining([id]) });
    const job = await house.db.jobs.find(id);
    expect(job?.task).toMatchObject({
      model: 'test-asr',
      audio: { blobKey: `${id}/input`, durationSeconds: expect.closeTo(2.7, 1) },
    });
    expect(await buffer(await house.blobs.read(`${id}/input`))).toEqual(await readFile(audioClip('count')));
  });

  test('takes its fields before and after the file', async () => {
    const language: Part = ['language', 'en-GB'];
    const prompt: Part = ['prompt', 'numbers'];
    const response = await send([language, model, await count(), prompt, ['temperature', '0.2']]);
    expect(response.status).toBe(200);
    expect(tasks.at(-1)).toMatchObject({ language: 'en', prompt: 'numbers', temperature: 0.2 });
  });

  test('as text is text alone', async () => {
    const response = await send([await count(), model, ['response_format', 'text']]);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('one two three');
  });

  test.each([
    [[], { segments: [SEGMENT] }],
    [['segment'], { segments: [SEGMENT] }],
    [['word'], { words: [WORD] }],
    [['word', 'segment'], { segments: [SEGMENT], words: [WORD] }],
  ])('as verbose_json with %j has the times that were asked for, now and later', async (granularities, times) => {
    const asked = granularities.map((name): Part => ['timestamp_granularities[]', name]);
    const response = await send([await count(), model, ['response_format', 'verbose_json'], ...asked]);
    const usage = { type: 'duration', seconds: 3 };
    const said = { task: 'transcribe', language: 'en', duration: 2.7, text: 'one two three', ...times };
    const whole = { ...said, usage, expires_at: expect.any(Number) };
    expect(await response.json()).toEqual(whole);
    const later = await house.call(`/v1/jobs/${response.headers.get('x-job-id')}/result`);
    expect(await later.json()).toEqual(whole);
  });

  test('tells of options that it does not have', async () => {
    const response = await send([
      await count(),
      model,
      ['keywords[]', 'AIGolos'],
      ['include[]', 'logprobs'],
      ['timestamp_granularities[]', 'word'],
      ['stream', 'false'],
    ]);
    expect(response.headers.get('x-warnings')?.split(' | ')).toEqual([
      'Ignored, because not supported: keywords.',
      'timestamp_granularities needs response_format verbose_json and was ignored.',
      'Ignored, because the engines here do not tell them: logprobs.',
    ]);
  });

  test.each<[string, Part[], string | null]>([
    ['auto', [['chunking_strategy', 'auto']], null],
    ['an object as JSON', [['chunking_strategy', '{"type":"server_vad"}']], null],
    [
      'an object field by field',
      [
        ['chunking_strategy[type]', 'server_vad'],
        ['chunking_strategy[threshold]', '0.4'],
      ],
      'Ignored, because audio is always cut in its pauses: chunking_strategy threshold.',
    ],
  ])('takes a chunking_strategy that is %s', async (_what, parts, warning) => {
    const response = await send([await count(), model, ...parts]);
    expect([response.status, response.headers.get('x-warnings')]).toEqual([200, warning]);
  });

  test.each([
    ['srt', 'application/x-subrip; charset=utf-8', /^1\n00:00:00,000 --> 00:00:02,500\n/],
    ['vtt', 'text/vtt; charset=utf-8', /^WEBVTT\n\n00:00:00\.000 --> 00:00:02\.500\n/],
  ])('as %s is subtitles that others read', async (format, contentType, beginning) => {
    const response = await send([await count(), model, ['response_format', format]]);
    expect(response.headers.get('content-type')).toBe(contentType);
    const text = await response.text();
    expect(text).toMatch(beginning);
    expect(readCues(text)).toMatchObject([{ from: 0, to: 2_500, text: 'one two three' }]);
  });

  test.each([
    ['json', undefined, 'application/json'],
    ['srt', undefined, 'application/x-subrip'],
    ['srt', '*/*', 'application/x-subrip'],
    ['json', 'text/vtt', 'text/vtt'],
    ['verbose_json', 'application/x-subrip, application/json;q=0.5', 'application/x-subrip'],
    ['vtt', 'text/plain', 'text/plain'],
  ])('that was asked for as %s is there later for Accept: %s as %s', async (format, accept, contentType) => {
    const id = (await send([await count(), model, ['response_format', format]])).headers.get('x-job-id');
    const later = await house.call(`/v1/jobs/${id}/result`, { ...(accept && { headers: { accept } }) });
    expect([later.status, later.headers.get('content-type')?.split(';')[0]]).toEqual([200, contentType]);
  });

  test('as JSON has its segments where it was asked for as text, and no picture', async () => {
    const id = (await send([await count(), model, ['response_format', 'text']])).headers.get('x-job-id');
    const as = (accept: string) => house.call(`/v1/jobs/${id}/result`, { headers: { accept } });
    expect(await (await as('application/json')).json()).toMatchObject({ text: 'one two three', segments: [SEGMENT] });
    const picture = await as('image/png');
    expect([picture.status, await picture.json()]).toMatchObject([406, { code: 'RESULT_NOT_ACCEPTABLE' }]);
  });

  test('can be asked for without waiting', async () => {
    const response = await send([await count(), model], { prefer: 'respond-async' });
    expect([response.status, await response.json()]).toMatchObject([202, { kind: 'transcription' }]);
  });
});

describe('what is refused leaves nothing behind', () => {
  beforeAll(() => open());
  afterAll(() => house.close());
  const file = (bytes: Blob, name = 'file'): Part => [name, new File([bytes], 'x.mp3')];
  const beginningOfCount = async (bytes: number) => new Blob([(await readFile(audioClip('count'))).subarray(0, bytes)]);
  const garbage = new Blob(['this is not audio at all, only text '.repeat(100)]);
  test.each<[string, () => Part[] | Promise<Part[]>, number, string]>([
    ['no file', () => [model], 400, 'file is required'],
    ['an empty file', () => [file(new Blob([])), model], 400, 'The file is empty'],
    ['no audio', () => [file(garbage), model], 400, 'cannot be read as audio'],
    ['no samples', async () => [file(await beginningOfCount(44)), model], 400, '0 samples'],
    [
      'a file cut off',
      async () => [file(await beginningOfCount(20)), model],
      400,
      'begins as a WAV file, but is cut off',
    ],
    ['two files', async () => [await count(), await count(), model], 400, 'file was sent twice'],
    ['another field', async () => [['audio', (await count())[1]], model], 400, 'in the field "file", not "audio"'],
    ['a model unknown', async () => [await count(), ['model', 'x']], 404, 'Models for transcription here: test-asr'],
    ['no model', async () => [await count()], 400, 'model is required'],
    ['a language of no form', async () => [await count(), model, ['language', 'english']], 400, 'ISO 639'],
    ['a language unknown', async () => [await count(), model, ['language', 'de']], 400, 'it knows en, ru'],
    ['a format unknown', async () => [await count(), model, ['response_format', 'ass']], 400, '"srt"|"verbose_json"'],
    ['cuts unknown', async () => [await count(), model, ['chunking_strategy', 'semantic']], 400, 'server_vad'],
    ['what is not included', async () => [await count(), model, ['include[]', 'speakers']], 400, 'logprobs'],
    [
      'an object and a text',
      async () => [await count(), model, ['chunking_strategy', 'auto'], ['chunking_strategy[type]', 'x']],
      400,
      'chunking_strategy was sent twice',
    ],
    ['a temperature', async () => [await count(), model, ['temperature', 'hot']], 400, 'a number from 0 to 1'],
    ['no stream', async () => [await count(), model, ['stream', 'maybe']], 400, 'stream must be true or false'],
    ['a field twice', async () => [await count(), model, model], 400, 'model'],
    ['a field too long', async () => [await count(), model, ['prompt', 'x'.repeat(70_000)]], 400, 'prompt is too long'],
  ])('%s', async (_what, parts, status, message) => {
    const response = await send(await parts());
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(message) } });
    expect(await leftBehind()).toEqual(NOTHING);
  });

  test('audio past the limits of this installation, which it tells', async () => {
    const usual = house;
    await open({ AUDIO_MAX_SECONDS: '2', AUDIO_MAX_BYTES: '400000' });
    const limits = LimitsViewSchema.parse(await (await house.call('/v1/limits')).json());
    expect(limits).toMatchObject({ audio: { seconds: 2, bytes: 400_000 }, speech: { characters: 4_096 } });
    const long = await send([await count(), model]);
    expect([long.status, await long.json()]).toMatchObject([400, { error: { code: 'audio_too_long' } }]);
    const large = await send([file(new Blob([Buffer.alloc(500_000)])), model]);
    expect([large.status, await large.json()]).toMatchObject([413, { error: { code: 'audio_too_large' } }]);
    const huge = await send([file(new Blob([Buffer.alloc(3_000_000)])), model]);
    expect([huge.status, await huge.json()]).toMatchObject([
      413,
      { error: { message: expect.stringContaining('400000') } },
    ]);
    expect(await leftBehind()).toEqual(NOTHING);
    await house.close();
    house = usual;
  });

  test('a body that is no form', async () => {
    const json = await house.post(PATH, { model: 'whisper-1' });
    expect([json.status, await json.json()]).toMatchObject([
      415,
      { error: { message: expect.stringContaining('multipart/form-data') } },
    ]);
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    for (const body of [
      '',
      'nonsense',
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
    ]) {
      const response = await house.call(PATH, { method: 'POST', body, headers });
      expect([body, response.status]).toEqual([body, 400]);
    }
    expect(await leftBehind()).toEqual(NOTHING);
  });
});

describe('an upload', () => {
  afterEach(() => house.close());
  /** A socket that has sent the beginning of a form and some of its file. */
  const begin = async (fileBytes: number) => {
    const { hostname, port } = new URL(house.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    const head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n';
    socket.write(
      `POST ${PATH} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${house.keys.user}\r\n` +
        `Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n${head}`,
    );
    socket.write(Buffer.alloc(fileBytes));
    await waitUntil('a part of it is in the spool', async () => (await house.files()).spool.length === 1);
    return socket;
  };
  const untilSpoolIsEmpty = () => waitUntil('the spool is empty', async () => (await house.files()).spool.length === 0);

  test('cut off in the middle leaves no file and no record', async () => {
    await open();
    const socket = await begin(100_000);
    socket.destroy();
    await untilSpoolIsEmpty();
    expect(await leftBehind()).toEqual(NOTHING);
  });

  test('that sends nothing any more is given up', async () => {
    await open({ UPLOAD_IDLE_MS: '1000' });
    const socket = await begin(100_000);
    await untilSpoolIsEmpty();
    expect(await leftBehind()).toEqual(NOTHING);
    socket.destroy();
  });

  test('that has not ended when the gateway stops is cut off and leaves nothing', async () => {
    await open({ STOP_GRACE_MS: '200' });
    await begin(100_000);
    await house.gateway.stop();
    await untilSpoolIsEmpty();
    expect(await leftBehind()).toEqual(NOTHING);
  });
});
