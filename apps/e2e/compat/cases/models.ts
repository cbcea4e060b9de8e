import { expect } from 'vitest';
import type { RouteCases } from '../case.ts';
import { jsonOf } from './shows.ts';

const listed = (id: string) => expect.objectContaining({ id, object: 'model', owned_by: 'aigolos' }) as unknown;

export const models: RouteCases[] = [
  {
    route: 'GET /models',
    smallest: {},
    call: (client, _request, options) => client.models.list(options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        note: 'with kind, languages, licence and whether it is the default',
        shows: (answer) =>
          expect(jsonOf(answer)).toMatchObject({
            data: expect.arrayContaining(['test-asr', 'test-llm', 'test-tts'].map(listed)),
          }),
      },
    ],
  },
  {
    route: 'GET /models/{model}',
    smallest: { model: 'test-asr' },
    call: (client, { model }, options) => client.models.retrieve(String(model), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        note: "OpenAI's names are found too",
        send: { model: 'whisper-1' },
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ id: 'test-asr' }),
      },
    ],
  },
];
