import { createReadStream } from 'node:fs';
import { ChatCompletionSchema } from '@aigolos/contracts';
import { wordErrorRate } from '@aigolos/engines/asr';
import { AUDIO_CLIPS, audioClip } from '@aigolos/testing';
import { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ engines: 'real' });
  // Each look begins the measurement anew: what loading a model cost does not count.
  for (const name of ENGINE_WORKERS) await eventLoopDelayP99Seconds(name);
});
afterAll(() => stack?.stop());

const kennedy = () => createReadStream(audioClip('kennedy'));
const words = (text: string) => new Set(text.toLowerCase().match(/[a-z']{2,}/g));
const ASYNC = { headers: { Prefer: 'respond-async' } };

const ENGINE_WORKERS = ['worker-asr', 'worker-llm', 'worker-tts'] as const;

/** Since it was last asked. */
async function eventLoopDelayP99Seconds(name: (typeof ENGINE_WORKERS)[number]): Promise<number> {
  const metrics = await (await fetch(`${stack.app(name).url}/metrics`)).text();
  return Number(/^aigolos_event_loop_delay_p99_seconds\S* (\S+)$/m.exec(metrics)?.[1]);
}

/** Submits by a call of the official client that asks for an asynchronous answer; returns the ended job. */
async function asJob(call: { asResponse(): Promise<Response> }) {
  const response = await call.asResponse();
  expect(response.status).toBe(202);
  expect(response.headers.get('preference-applied')).toContain('respond-async');
  const { id } = (await response.json()) as { id: string };
  expect(response.headers.get('location')).toBe(`/v1/jobs/${id}`);
  return stack.untilJob(id, ['completed', 'failed']);
}

describe('the official client, with real engines', () => {
  test('transcribes, in each format', async () => {
    const { transcriptions } = stack.client.audio;
    const json = await transcriptions.create({ file: kennedy(), model: 'whisper-1' });
    expect(wordErrorRate(AUDIO_CLIPS.kennedy.text, json.text)).toBeLessThanOrEqual(0.1);
    const text = await transcriptions.create({ file: kennedy(), model: 'whisper-1', response_format: 'text' });
    expect(text.trim()).toBe(json.text);
    const verbose = await transcriptions.create({
      file: kennedy(),
      model: 'whisper-1',
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
    });
    expect(verbose.duration).toBeCloseTo(AUDIO_CLIPS.kennedy.seconds, 0);
    expect(verbose.words?.length).toBeGreaterThan(15);
    expect(verbose.segments?.[0]?.start).toBeGreaterThanOrEqual(0);
    expect(verbose.language).toMatch(/^en/);
  });

  test('hears nothing where nobody speaks', async () => {
    const file = createReadStream(audioClip('barking'));
    expect((await stack.client.audio.transcriptions.create({ file, model: 'whisper-1' })).text).toBe('');
  });

  test('chats, plain and streamed, with the same answer', async () => {
    const request = {
      model: 'gpt-4o-mini',
      messages: [{ role: 'user' as const, content: 'What is the capital of France?' }],
      temperature: 0,
      seed: 1,
      max_completion_tokens: 40,
    };
    const plain = await stack.client.chat.completions.create(request);
    const answer = plain.choices[0]?.message.content ?? '';
    expect(answer).toContain('Paris');
    expect(plain.usage?.completion_tokens).toBeGreaterThan(0);
    const chunks = await Array.fromAsync(
      await stack.client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } }),
    );
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(answer);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(plain.usage?.completion_tokens);
  });

  test('speaks what the recogniser understands again', async () => {
    const input = 'Sunday is the best part of the week.';
    const speech = await stack.client.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      input,
      response_format: 'wav',
    });
    expect(speech.headers.get('content-type')).toContain('audio/wav');
    const file = await toFile(Buffer.from(await speech.arrayBuffer()), 'speech.wav');
    const heard = await stack.client.audio.transcriptions.create({ file, model: 'whisper-1' });
    expect(words(heard.text).intersection(words(input)).size).toBeGreaterThanOrEqual(4);
  });

  test('does all three as jobs', async () => {
    const transcription = await asJob(
      stack.client.audio.transcriptions.create({ file: kennedy(), model: 'whisper-1' }, ASYNC),
    );
    const { text } = (await (await stack.fetch(transcription.urls.result)).json()) as { text: string };
    expect(wordErrorRate(AUDIO_CLIPS.kennedy.text, text)).toBeLessThanOrEqual(0.1);

    const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }];
    const chat = await asJob(
      stack.client.chat.completions.create({ model: 'gpt-4o', messages, temperature: 0 }, ASYNC),
    );
    const completion = (await (await stack.fetch(chat.urls.result)).json()) as {
      choices: { message: { content: string } }[];
    };
    expect(completion.choices[0]?.message.content).toContain('Paris');

    const speech = await asJob(
      stack.client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Good morning.' }, ASYNC),
    );
    const audio = await stack.fetch(speech.urls.result);
    expect(audio.headers.get('content-type')).toContain('audio/mpeg');
    expect((await audio.arrayBuffer()).byteLength).toBeGreaterThan(4_000);
  });

  test('remembers a conversation', async () => {
    const ask = async (content: string, conversation: string) => {
      const messages = [{ role: 'user' as const, content }];
      const request = { model: 'gpt-4o', messages, max_tokens: 30, temperature: 0, conversation };
      return ChatCompletionSchema.parse(await stack.client.chat.completions.create(request));
    };
    const first = await ask('My name is Ada.', 'new');
    const second = await ask('What did I just say?', first.conversation?.id ?? '');
    expect(second.conversation).toEqual(first.conversation);
    const alone = await ask('What did I just say?', 'new');
    expect(second.usage.prompt_tokens).toBeGreaterThan(alone.usage.prompt_tokens + 8);
  });

  test('keeps the event loop of every worker free while its engine works', async () => {
    for (const name of ENGINE_WORKERS) expect(await eventLoopDelayP99Seconds(name), name).toBeLessThan(0.05);
  });
});

describe('errors, as the official client raises them', () => {
  test('are of its own classes, with a message that helps', async () => {
    const { BadRequestError, AuthenticationError, NotFoundError, default: Client } = await import('openai');
    const { client } = stack;
    const wrongKey = new Client({ baseURL: `${stack.url}/v1`, apiKey: 'sk-wrong', maxRetries: 0 });
    await expect(wrongKey.models.list()).rejects.toThrow(AuthenticationError);
    const unknown = client.audio.transcriptions.create({ file: kennedy(), model: 'whisper-99' });
    await expect(unknown).rejects.toThrow(NotFoundError);
    await expect(unknown).rejects.toThrow(/whisper-base/);
    const long = client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'x'.repeat(6_120) }],
    });
    await expect(long).rejects.toThrow(BadRequestError);
    await expect(long).rejects.toThrow('message must have 1 to 5000 characters, this one has 6120');
  });
});
