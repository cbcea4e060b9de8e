import type { SpeechCreateParams } from 'openai/resources/audio/speech';
import { expect } from 'vitest';
import type { Case, RouteCases } from '../case.ts';
import { wavSeconds } from './shows.ts';

const INPUT = 'Good morning, how are you today?';
const wav = { response_format: 'wav' };

/** By its container's first bytes. */
const format = (value: string, type: string, begins: string): Case => ({
  parameter: 'response_format',
  value,
  support: 'supported',
  send: { response_format: value },
  shows: (answer) => {
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.text.startsWith(begins)).toBe(true);
  },
});

export const speech: RouteCases = {
  route: 'POST /audio/speech',
  smallest: { model: 'tts-1', voice: 'alloy', input: INPUT },
  call: (client, request, options) =>
    client.audio.speech.create(request as unknown as SpeechCreateParams, options).asResponse(),
  cases: [
    {
      parameter: 'input',
      support: 'supported',
      note: 'up to 4,096 characters, as a job up to 500,000',
      send: { ...wav, input: INPUT.repeat(2) },
      shows: (answer) => expect(wavSeconds(answer)).toBeCloseTo(0.06 * INPUT.length * 2, 1),
    },
    {
      parameter: 'model',
      support: 'supported',
      note: 'names of OpenAI stand for the default model',
      send: { model: 'gpt-4o-mini-tts' },
    },
    {
      parameter: 'voice',
      support: 'supported',
      note: "ids of GET /v1/audio/voices; OpenAI's names stand for the first English voice",
      send: { voice: 'test-high' },
    },
    { parameter: 'voice', value: '{ id }', support: 'supported', send: { voice: { id: 'test-high' } } },
    {
      parameter: 'response_format',
      value: 'mp3',
      support: 'supported',
      send: { response_format: 'mp3' },
      shows: ({ headers }) => expect(headers.get('content-type')).toBe('audio/mpeg'),
    },
    {
      parameter: 'response_format',
      value: 'wav',
      support: 'supported',
      send: wav,
      shows: (answer) => expect(wavSeconds(answer)).toBeCloseTo(0.06 * INPUT.length, 1),
    },
    format('opus', 'audio/ogg', 'OggS'),
    format('aac', 'audio/aac', '\u00ff\u00f1'),
    format('flac', 'audio/flac', 'fLaC'),
    {
      parameter: 'response_format',
      value: 'pcm',
      support: 'supported',
      note: '24 kHz, 16 bits, mono, whatever the voice is',
      send: { response_format: 'pcm' },
      shows: ({ text }) => expect(text.length / 48_000).toBeCloseTo(0.06 * INPUT.length, 1),
    },
    {
      parameter: 'speed',
      support: 'supported',
      note: 'really changes the length',
      send: { ...wav, speed: 2 },
      shows: (answer) => expect(wavSeconds(answer)).toBeCloseTo((0.06 * INPUT.length) / 2, 1),
    },
    {
      parameter: 'instructions',
      support: 'ignored',
      note: 'the voices here do not follow them',
      send: { instructions: 'Whisper.' },
    },
    { parameter: 'stream_format', value: 'audio', support: 'supported', send: { stream_format: 'audio' } },
    {
      parameter: 'stream_format',
      value: 'sse',
      support: 'supported',
      send: { ...wav, stream_format: 'sse' },
      shows: ({ events }) => {
        expect(events?.at(0)).toMatchObject({ type: 'speech.audio.delta', audio: expect.stringMatching(/^UklGR/) });
        expect(events?.at(-1)).toMatchObject({
          type: 'speech.audio.done',
          usage: { input_tokens: expect.any(Number) },
        });
      },
    },
  ],
};
