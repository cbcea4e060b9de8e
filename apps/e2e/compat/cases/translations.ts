import { createReadStream } from 'node:fs';
import { audioClip } from '@aigolos/testing';
import type { TranslationCreateParams } from 'openai/resources/audio/translations';
import { expect } from 'vitest';
import type { RouteCases } from '../case.ts';
import { jsonOf, reachesEngine, subtitles } from './shows.ts';

export const translations: RouteCases = {
  route: 'POST /audio/translations',
  smallest: { model: 'whisper-1' },
  call: (client, request, options) => {
    const file = createReadStream(audioClip('count'));
    const form = { file, ...request } as unknown as TranslationCreateParams;
    return client.audio.translations.create(form, options).asResponse();
  },
  cases: [
    { parameter: 'file', support: 'supported', note: 'as of transcriptions' },
    {
      parameter: 'model',
      support: 'supported',
      note: 'a model that knows English alone writes down what is said, with a warning',
      send: { model: 'whisper-1' },
    },
    { parameter: 'response_format', value: 'json', support: 'supported', send: { response_format: 'json' } },
    {
      parameter: 'response_format',
      value: 'text',
      support: 'supported',
      send: { response_format: 'text' },
      shows: ({ headers }) => expect(headers.get('content-type')).toMatch('text/plain'),
    },
    ...subtitles,
    {
      parameter: 'response_format',
      value: 'verbose_json',
      support: 'supported',
      send: { response_format: 'verbose_json' },
      schema: 'CreateTranslationResponseVerboseJson',
      shows: (answer) => expect(jsonOf(answer)).toMatchObject({ task: 'translate', language: 'english' }),
    },
    { parameter: 'prompt', support: 'supported', note: 'up to 2,000 characters', send: { prompt: 'A speech.' } },
    { parameter: 'temperature', support: 'supported', send: { temperature: 0.5 }, shows: reachesEngine('temperature') },
  ],
};
