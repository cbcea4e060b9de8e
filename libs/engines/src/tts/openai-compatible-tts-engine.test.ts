import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ReceivedRequest, sendJson, startServer, type TestServer, write } from '../../test/http-server.ts';
import { wavOf } from '../../test/wav.ts';
import { describeTtsEngine } from '../conformance/tts-engine.ts';
import { createOpenAICompatibleTtsEngine } from './openai-compatible-tts-engine.ts';
import { createTestTtsEngine } from './test-tts-engine.ts';

const voices = [{ id: 'alloy', name: 'Alloy', language: 'en' }];
const engineAt = (baseUrl: string, apiKey?: string) =>
  createOpenAICompatibleTtsEngine({ baseUrl, apiKey, model: 'remote', upstreamModel: 'big-voice', voices });
const wav = wavOf(new Float32Array(2_400), {});

describe('the OpenAI-compatible TTS engine', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(answerByTestEngine);
  });
  afterAll(() => server.close());

  describeTtsEngine('OpenAI-compatible HTTP', () => engineAt(server.baseUrl));
});

describe('createOpenAICompatibleTtsEngine', () => {
  let server: TestServer | undefined;
  afterEach(() => server?.close());
  const serve = async (answer: (response: ServerResponse) => unknown) => {
    server = await startServer(async (_, response) => void (await answer(response)));
    return server;
  };

  test('asks for WAV in its own words', async () => {
    const { baseUrl, requests } = await serve((response) => void response.end(wav));
    const audio = await speak(baseUrl, 'secret');
    expect(audio.map(({ samples, sampleRateHz }) => [samples.length, sampleRateHz])).toEqual([[2_400, 24_000]]);
    expect(requests).toMatchObject([
      {
        url: '/v1/audio/speech',
        headers: { authorization: 'Bearer secret' },
        body: { model: 'big-voice', voice: 'alloy', input: 'Hello', speed: 1.5, response_format: 'wav' },
      },
    ]);
  });

  test.each([429, 500])('status %d is worth another try, by the caller alone', async (status) => {
    const { baseUrl, requests } = await serve((response) => sendJson(response, status, { error: { message: 'busy' } }));
    await expect(speak(baseUrl)).rejects.toMatchObject({ code: 'TTS_ENGINE_FAILED', retryable: true });
    expect(requests).toHaveLength(1);
  });

  test('a refusal is final and keeps its words', async () => {
    const { baseUrl } = await serve((response) => sendJson(response, 400, { error: { message: 'no such voice' } }));
    await expect(speak(baseUrl)).rejects.toMatchObject({
      code: 'TTS_ENGINE_REJECTED',
      retryable: false,
      message: expect.stringContaining('no such voice'),
    });
  });

  test('a server that sends something else than WAV is of no use', async () => {
    const { baseUrl } = await serve((response) => void response.end('ID3 and then mp3 frames'));
    await expect(speak(baseUrl)).rejects.toMatchObject({ code: 'TTS_ENGINE_REJECTED', retryable: false });
  });

  test.each([
    ['in silence', async (response: ServerResponse) => void response.end(wav.subarray(0, 1_000))],
    [
      'by the connection',
      async (response: ServerResponse) => write(response, wav.subarray(0, 1_000)).then(() => response.destroy()),
    ],
  ])('audio that is cut %s is worth another try', async (_, answer) => {
    const { baseUrl } = await serve(answer);
    await expect(speak(baseUrl)).rejects.toMatchObject({ code: 'TTS_ENGINE_FAILED', retryable: true });
  });
});

async function speak(baseUrl: string, apiKey?: string) {
  const engine = await engineAt(baseUrl, apiKey);
  return Array.fromAsync(engine.synthesize('Hello', { voice: 'alloy', speed: 1.5 }, new AbortController().signal));
}

/** OpenAI's protocol before the test engine: a WAV whose size is not known when it begins. */
async function answerByTestEngine({ body, signal }: ReceivedRequest, response: ServerResponse): Promise<void> {
  const { input, speed } = body as { input: string; speed: number };
  const speech = createTestTtsEngine({ voices, paceMsPerCharacter: 0.2 });
  response.writeHead(200, { 'content-type': 'audio/wav' });
  await write(response, wavOf(new Float32Array(0), { size: 0xffff_ffff }));
  for await (const { samples } of speech.synthesize(input, { voice: 'alloy', speed }, signal)) {
    await write(response, Buffer.from(Int16Array.from(samples, (sample) => sample * 32_767).buffer));
  }
  response.end();
}
