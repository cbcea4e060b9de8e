import { createReadStream } from 'node:fs';
import { audioClip } from '@aigolos/testing';
import type { TranscriptionCreateParamsNonStreaming } from 'openai/resources/audio/transcriptions';
import { expect } from 'vitest';
import type { Case, RouteCases } from '../case.ts';
import { jsonOf, reachesEngine, subtitles } from './shows.ts';

const verbose = { response_format: 'verbose_json' };
const verboseJson = 'CreateTranscriptionResponseVerboseJson';

export const transcriptions: RouteCases = {
  route: 'POST /audio/transcriptions',
  smallest: { model: 'whisper-1' },
  call: (client, request, options) => {
    const file = createReadStream(audioClip('count'));
    const form = { file, ...request } as unknown as TranscriptionCreateParamsNonStreaming;
    return client.audio.transcriptions.create(form, options).asResponse();
  },
  cases: [
    { parameter: 'file', support: 'supported', note: 'any container that ffmpeg reads, up to 2 h and 2 GB' },
    {
      parameter: 'model',
      support: 'supported',
      note: 'names of OpenAI stand for the default model',
      send: { model: 'gpt-4o-transcribe' },
    },
    { parameter: 'response_format', value: 'json', support: 'supported', send: { response_format: 'json' } },
    {
      parameter: 'response_format',
      value: 'text',
      support: 'supported',
      send: { response_format: 'text' },
      shows: ({ text }) => expect(text).toMatch(/^[a-z ]+\n?$/),
    },
    {
      parameter: 'response_format',
      value: 'verbose_json',
      support: 'supported',
      send: verbose,
      schema: verboseJson,
      shows: (answer) => {
        expect(jsonOf(answer)).toMatchObject({ task: 'transcribe', segments: expect.any(Array) });
        expect(jsonOf(answer)).not.toHaveProperty('words');
      },
    },
    ...subtitles,
    {
      parameter: 'response_format',
      value: 'diarized_json',
      support: 'refused',
      note: 'no engine here tells speakers apart',
      send: { response_format: 'diarized_json' },
    },
    {
      parameter: 'timestamp_granularities',
      support: 'supported',
      note: 'words, segments or both, with verbose_json',
      send: { ...verbose, timestamp_granularities: ['word'] },
      schema: verboseJson,
      shows: (answer) => {
        expect(jsonOf(answer)).toMatchObject({ words: expect.arrayContaining([expect.any(Object)]) });
        expect(jsonOf(answer)).not.toHaveProperty('segments');
      },
    },
    {
      parameter: 'language',
      support: 'supported',
      send: { ...verbose, language: 'de' },
      schema: verboseJson,
      shows: (answer) => expect(jsonOf(answer)).toMatchObject({ language: 'de' }),
    },
    { parameter: 'prompt', support: 'supported', note: 'up to 2,000 characters', send: { prompt: 'A speech.' } },
    { parameter: 'temperature', support: 'supported', send: { temperature: 0.5 }, shows: reachesEngine('temperature') },
    {
      parameter: 'stream',
      support: 'supported',
      send: { stream: true },
      shows: ({ events }) => {
        expect(events?.at(0)).toMatchObject({ type: 'transcript.text.delta' });
        expect(events?.at(-1)).toMatchObject({ type: 'transcript.text.done', usage: { type: 'tokens' } });
      },
    },
    {
      parameter: 'stream',
      value: 'verbose_json',
      support: 'supported',
      note: 'its segments as events, of a speaker `unknown`',
      send: { ...verbose, stream: true },
      shows: ({ events }) =>
        expect(events).toContainEqual(expect.objectContaining({ type: 'transcript.text.segment', speaker: 'unknown' })),
    },
    ...['srt', 'vtt'].map(
      (value): Case => ({
        parameter: 'stream',
        value,
        support: 'refused',
        send: { response_format: value, stream: true },
      }),
    ),
    {
      parameter: 'chunking_strategy',
      value: 'auto',
      support: 'supported',
      note: 'long audio is always cut at pauses',
      send: { chunking_strategy: 'auto' },
    },
    {
      parameter: 'chunking_strategy',
      value: 'settings of server_vad',
      support: 'ignored',
      send: { chunking_strategy: { type: 'server_vad', threshold: 0.4 } },
    },
    {
      parameter: 'include',
      value: 'logprobs',
      support: 'ignored',
      note: 'the warning names logprobs: the engines here do not tell them',
      send: { include: ['logprobs'] },
    },
    { parameter: 'languages', support: 'ignored', send: { languages: ['en', 'de'] } },
    { parameter: 'keywords', support: 'ignored', send: { keywords: ['AIGolos'] } },
    { parameter: 'known_speaker_names', support: 'ignored', send: { known_speaker_names: ['ada'] } },
    {
      parameter: 'known_speaker_references',
      support: 'ignored',
      send: { known_speaker_references: ['data:audio/wav;base64,UklGRg=='] },
    },
  ],
};
