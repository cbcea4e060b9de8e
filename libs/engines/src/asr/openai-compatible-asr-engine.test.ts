import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeAsrEngine } from '../conformance/asr-engine.ts';
import { babble } from '../conformance/sounds.ts';
import type { AsrEngine } from './asr-engine.ts';
import { createOpenAICompatibleAsrEngine } from './openai-compatible-asr-engine.ts';
import { type Answer, answerBy, type FakeOpenAIServer, startOpenAIServer } from './openai-server.fake.ts';
import { createTestAsrEngine } from './test-asr-engine.ts';

const never = new AbortController().signal;

describe('against a server that speaks OpenAI’s protocol', () => {
  let server: FakeOpenAIServer;
  beforeAll(async () => {
    server = await startOpenAIServer(answerBy(createTestAsrEngine({ paceMsPerAudioSecond: 30 })));
  });
  afterAll(() => server.close());

  describeAsrEngine('the OpenAI-compatible engine', () => engineOf(server.baseUrl));

  test('sends the model’s name there, the key, and the options that are set', async () => {
    const engine = await engineOf(server.baseUrl);
    await engine.transcribe(
      babble(1, 5),
      { language: 'pt-BR', prompt: 'Olá', temperature: 0.5, wordTimestamps: true },
      never,
    );
    expect(server.calls.at(-1)).toMatchObject({
      path: '/v1/audio/transcriptions',
      authorization: 'Bearer sk-upstream',
      fields: {
        model: ['large'],
        language: ['pt'],
        prompt: ['Olá'],
        temperature: ['0.5'],
        response_format: ['verbose_json'],
        'timestamp_granularities[]': ['segment', 'word'],
      },
    });
    await engine.transcribe(babble(1, 5), { wordTimestamps: false }, never);
    const { fields } = server.calls.at(-1) ?? {};
    expect(Object.keys(fields ?? {}).toSorted()).toEqual(['model', 'response_format', 'timestamp_granularities[]']);
  });

  test('has translated what is to be in English; the language of the answer is not the one that is spoken', async () => {
    const engine = await engineOf(server.baseUrl);
    const call = { task: 'translate' as const, prompt: 'Numbers.', wordTimestamps: false };
    expect((await engine.transcribe(babble(1, 5), call, never)).language).toBe('unknown');
    expect(server.calls.at(-1)).toMatchObject({ path: '/v1/audio/translations', fields: { prompt: ['Numbers.'] } });
  });
});

describe('what the server answers', () => {
  let server: FakeOpenAIServer | undefined;
  afterEach(() => server?.close());

  async function transcribe(answer: Answer): Promise<Awaited<ReturnType<AsrEngine['transcribe']>>> {
    server = await startOpenAIServer(async () => answer);
    const engine = await engineOf(server.baseUrl);
    return engine.transcribe(babble(4, 6), { wordTimestamps: true }, never);
  }

  test('a text without times is one segment, and a warning says so', async () => {
    const transcript = await transcribe({ status: 200, body: { text: ' Hello there. ' } });
    expect(transcript).toMatchObject({
      language: 'unknown',
      segments: [{ id: 0, start: 0, end: 4, text: 'Hello there.' }],
      words: [],
      warnings: ['The upstream server gives no times of segments.', 'The upstream server gives no times of words.'],
    });
  });

  test('a language by its English name becomes its code', async () => {
    expect(await transcribe({ status: 200, body: { text: 'Привет', language: 'russian' } })).toMatchObject({
      language: 'ru',
    });
  });

  test('texts of segments keep the spaces that stand between them, also in a language without spaces', async () => {
    const segments = ['你好', '再见'].map((text, index) => ({ start: index, end: index + 1, text }));
    const transcript = await transcribe({ status: 200, body: { text: '你好再见', language: 'chinese', segments } });
    expect(transcript.segments.map(({ text }) => text)).toEqual(['你好', '再见']);
  });

  test.each([
    [400, 'The upstream server refused this request: 400 no such model: large'],
    [401, 'The upstream server does not accept the API key that is configured.'],
    [413, 'The upstream server refused this request: 413 no such model: large'],
  ])('%s is a rejection, which another try would meet again', async (status, message) => {
    const answer = transcribe({ status, body: { error: { message: 'no such model: large', type: 'invalid' } } });
    await expect(answer).rejects.toMatchObject({ code: 'ASR_ENGINE_REJECTED', retryable: false, message });
  });

  test.each([408, 429, 500, 503])(
    '%s is a failure that another try may not meet, and is not tried again here',
    async (status) => {
      const answer = transcribe({ status, body: { error: { message: 'busy' } } });
      await expect(answer).rejects.toMatchObject({ code: 'ASR_ENGINE_FAILED', retryable: true });
      expect(server?.calls.length).toBe(1);
    },
  );

  test('an answer that is no transcript is a failure', async () => {
    const answer = transcribe({ status: 200, body: { transcript: 'Hello' } });
    await expect(answer).rejects.toMatchObject({ code: 'ASR_ENGINE_FAILED', retryable: true });
  });

  test('no server at all is a failure', async () => {
    const gone = await startOpenAIServer(async () => ({ status: 200, body: {} }));
    await gone.close();
    const answer = (await engineOf(gone.baseUrl)).transcribe(babble(1, 7), { wordTimestamps: false }, never);
    await expect(answer).rejects.toMatchObject({ code: 'ASR_ENGINE_FAILED', retryable: true });
  });
});

async function engineOf(baseUrl: string): Promise<AsrEngine> {
  return createOpenAICompatibleAsrEngine({
    baseUrl,
    apiKey: 'sk-upstream',
    model: 'whisper-upstream',
    upstreamModel: 'large',
  });
}
