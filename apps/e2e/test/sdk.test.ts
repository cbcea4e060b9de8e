import { openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ChatCompletionSchema,
  JobListSchema,
  JobStreamEventSchema,
  JobViewSchema,
  SpeechTimingsViewSchema,
  TranscriptionVerboseJsonSchema,
  VoiceTurnSchema,
} from '@aigolos/contracts';
import { ApiError, type Client, createClient } from '@aigolos/sdk';
import { audioClip } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../drill/faults/tcp-proxy.ts';
import { createRandom } from '../drill/random.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
let client: Client;
beforeAll(async () => {
  stack = await startStack({ engines: 'test' });
  client = createClient({ baseUrl: stack.url, apiKey: stack.apiKey });
});
afterAll(() => stack?.stop());

const chat = (content: string) => ({ model: 'gpt-4o', messages: [{ role: 'user' as const, content }] });
const kennedy = () => openAsBlob(audioClip('kennedy'));
const jobs = async () => JobListSchema.parse(await client.jobs.list({ limit: 100 })).data;

describe('the SDK', () => {
  test('has files transcribed, texts spoken and messages answered, as jobs with typed results', async () => {
    const transcription = await client.transcriptions.submit(
      { file: await kennedy(), model: 'whisper-1', response_format: 'verbose_json', timestamp_granularities: ['word'] },
      { metadata: { order: '17' }, priority: 'high' },
    );
    const speech = await client.speech.submit({ model: 'tts-1', voice: 'alloy', input: 'Hi.', response_format: 'wav' });
    const answer = await client.chat.submit({ ...chat('hello'), conversation: 'new' });

    const transcript = await transcription.result();
    expect(TranscriptionVerboseJsonSchema.parse(transcript).words?.length).toBeGreaterThan(5);
    const sound = Buffer.from(await (await speech.result()).arrayBuffer());
    expect(sound.subarray(0, 4).toString()).toBe('RIFF');
    const completion = ChatCompletionSchema.parse(await answer.result());
    expect(completion.choices[0]?.message.content).toContain('hello');

    const job = JobViewSchema.parse(await transcription.get());
    expect(job).toMatchObject({ status: 'completed', metadata: { order: '17' }, priority: 'high' });
    expect((await client.jobs.list({ kind: 'speech', limit: 1 })).data[0]?.id).toBe(speech.id);
    const ordered = await client.jobs.list({ metadata: { order: '17' }, order: 'asc' });
    expect(ordered.data.map(({ id }) => id)).toEqual([transcription.id]);
    expect(await speech.delete()).toMatchObject({ id: speech.id, deleted: true });
    await expect(speech.get()).rejects.toMatchObject({ status: 404, code: 'JOB_NOT_FOUND' });
  });

  test('has a result in each of its forms, however it was submitted', async () => {
    const transcription = await client.transcriptions.submit({
      file: await kennedy(),
      model: 'whisper-1',
      response_format: 'text',
    });
    const text = await transcription.result();
    expect(await transcription.result({ as: 'text' })).toBe(text);
    expect(await transcription.result({ as: 'srt' })).toMatch(/^1\r?\n00:00:0/);
    expect(await transcription.result({ as: 'vtt' })).toMatch(/^WEBVTT/);
    const verbose = TranscriptionVerboseJsonSchema.parse(await transcription.result({ as: 'json' }));
    expect(verbose.segments?.length).toBeGreaterThan(0);
    const translation = await client.translations.submit({ file: await kennedy(), model: 'whisper-1' });
    expect((await translation.get()).kind).toBe('translation');
    expect((await translation.result()).text).not.toBe('');

    const input = 'Chapter 1\n\nIt rained.\n\nChapter 2\n\nIt stopped.';
    const speech = await client.speech.submit({ model: 'tts-1', voice: 'alloy', input });
    const { chapters, duration } = SpeechTimingsViewSchema.parse(await speech.result({ as: 'json' }));
    expect(chapters.map(({ title }) => title)).toEqual(['Chapter 1', 'Chapter 2']);
    expect(duration).toBeGreaterThan(0);
    expect(await speech.result({ as: 'srt' })).toContain('It rained.');
    expect((await speech.result({ as: 'audio' })).headers.get('content-type')).toBe('audio/mpeg');
  });

  test('has a voice turn heard, answered and spoken, and tells each step of it', async () => {
    const turn = await client.voiceTurns.submit({
      file: await kennedy(),
      conversation: 'new',
      response_format: 'wav',
      speed: 1.5,
    });
    const events = await Array.fromAsync(turn.events());
    for (const event of events) expect(JobStreamEventSchema.safeParse(event).error).toBeUndefined();
    expect(events.at(-1)?.type).toBe('job.completed');
    const said = events.flatMap((event) => (event.type === 'job.delta' ? [event.delta] : [])).join('');
    const whole = VoiceTurnSchema.parse(await turn.result());
    expect(whole.answer.text).toBe(said);
    expect(whole.transcript.text).not.toBe('');
    const sound = Buffer.from(await (await turn.result({ as: 'audio' })).arrayBuffer());
    expect(sound.subarray(0, 4).toString()).toBe('RIFF');
    const rest = await Array.fromAsync(client.jobs.events(turn.id, { after: events.at(-2)?.eventId }));
    expect(rest.map(({ eventId }) => eventId)).toEqual([events.at(-1)?.eventId]);
    expect(await Array.fromAsync(client.jobs.events(turn.id, { after: rest[0]?.eventId }))).toEqual([]);
  });

  test('streams an answer whose pieces are the whole', async () => {
    const stream = await client.chat.stream(chat('[[words 50]]'));
    const pieces = (await Array.fromAsync(stream)).map(({ choices }) => choices[0]?.delta.content ?? '');
    const whole = await client.jobs.result('chat', stream.jobId);
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.join('')).toBe(whole.choices[0]?.message.content);
  });

  test('tells what happens to a job, to its end, and what it failed with', async () => {
    const failing = await client.chat.submit(chat('[[reject]]'));
    const events = await Array.fromAsync(failing.events());
    expect(events.at(-1)?.type).toBe('job.failed');
    await expect(failing.result()).rejects.toMatchObject({ code: 'LLM_ENGINE_REJECTED', jobId: failing.id });
  });

  test('throws what was wrong with a request, and does not send it again', async () => {
    const stranger = createClient({ baseUrl: stack.url, apiKey: 'sk-wrong' });
    await expect(stranger.jobs.list()).rejects.toMatchObject({ status: 401, code: 'API_KEY_INVALID' });
    const unknown = client.speech.submit({ model: 'tts-99', voice: 'alloy', input: 'Hi.' });
    await expect(unknown).rejects.toThrow(ApiError);
    await expect(unknown).rejects.toMatchObject({ status: 404, code: 'MODEL_NOT_FOUND', param: 'model' });
    const noAudio = client.transcriptions.submit({ file: new Blob(['no sound']), model: 'whisper-1' });
    await expect(noAudio).rejects.toMatchObject({ status: 400, requestId: expect.any(String) });
  });
});

describe('on a network that fails', () => {
  let proxy: TcpProxy;
  let shaky: Client;
  beforeAll(async () => {
    proxy = await startTcpProxy(Number(new URL(stack.url).port));
    shaky = createClient({ baseUrl: `http://127.0.0.1:${proxy.port}`, apiKey: stack.apiKey });
  });
  afterAll(() => proxy?.close());
  const cutAll = () => proxy.cut(createRandom(1), 1);

  test('a wait goes on after the line was cut in the middle of it', async () => {
    const job = await shaky.chat.submit(chat('[[hang]]'));
    const waiting = job.wait();
    // The poll is a connection of its own once the submission is answered.
    await expect.poll(cutAll).toBeGreaterThan(0);
    await client.jobs.cancel(job.id);
    expect((await waiting).status).toBe('cancelled');
  });

  test('an upload that was cut off in the middle is sent again, makes one job, and leaves nothing behind', async () => {
    const before = await jobs();
    const cuts: number[] = [];
    const file = await kennedy();
    const onProgress = ({ sentBytes }: { sentBytes: number }) => {
      if (cuts.length === 0 && sentBytes > file.size / 4) cuts.push(cutAll());
    };
    const transcription = await shaky.transcriptions.submit({ file, model: 'whisper-1', onProgress });
    expect(cuts[0]).toBeGreaterThan(0);
    const direct = await client.transcriptions.submit({ file: await kennedy(), model: 'whisper-1' });
    expect((await transcription.result()).text).toBe((await direct.result()).text);
    expect((await jobs()).length - before.length).toBe(2);
    expect(await readdir(join(stack.blobDir, 'spool'))).toEqual([]);
  });

  test.each(['chat', 'transcription'] as const)('a %s whose acceptance got lost is one job', async (kind) => {
    const ids: string[] = [];
    const losingTheFirst: typeof fetch = async (...request) => {
      const response = await fetch(...request);
      if (response.status === 202) ids.push(((await response.clone().json()) as { id: string }).id);
      if (ids.length === 1) throw new TypeError('the answer got lost');
      return response;
    };
    const unlucky = createClient({ baseUrl: stack.url, apiKey: stack.apiKey, fetch: losingTheFirst });
    const before = await jobs();
    const job =
      kind === 'chat'
        ? await unlucky.chat.submit(chat('once'))
        : await unlucky.transcriptions.submit({ file: await kennedy(), model: 'whisper-1' });
    expect(ids).toEqual([job.id, job.id]);
    expect((await jobs()).length - before.length).toBe(1);
  });
});
