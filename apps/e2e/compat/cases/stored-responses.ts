import type OpenAI from 'openai';
import { expect } from 'vitest';
import type { Answer, RouteCases } from '../case.ts';
import { include, jsonOf, paging } from './shows.ts';

const input = ['one', 'two'].map((content) => ({ role: 'user' as const, content }));
const begin = async (client: OpenAI) => (await client.responses.create({ model: 'gpt-4o', input })).id;
const texts = (...said: string[]) => said.map((text) => ({ content: [{ text }] }));
const sequence = ({ events = [] }: Answer) =>
  events.map((event) => (event as { sequence_number: number }).sequence_number);

export const storedResponses: RouteCases[] = [
  {
    route: 'GET /responses/{response_id}',
    smallest: {},
    call: async (client, request, options) =>
      client.responses.retrieve(await begin(client), request, options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        note: 'unless it was sent with store false',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ status: 'completed', background: false }),
      },
      {
        parameter: 'stream',
        support: 'supported',
        note: 'while it is made or after its end, each time the same events',
        send: { stream: true },
        schema: 'ResponseStreamEvent',
        shows: (answer) => expect(sequence(answer).slice(0, 3)).toEqual([0, 1, 2]),
      },
      {
        parameter: 'starting_after',
        support: 'supported',
        send: { stream: true, starting_after: 2 },
        schema: 'ResponseStreamEvent',
        shows: (answer) => expect(sequence(answer)[0]).toBe(3),
      },
      {
        parameter: 'include_obfuscation',
        value: 'false',
        support: 'supported',
        send: { stream: true, include_obfuscation: false },
        schema: 'ResponseStreamEvent',
        shows: ({ events }) => expect(JSON.stringify(events)).not.toContain('obfuscation'),
      },
      {
        parameter: 'include_obfuscation',
        value: 'true',
        support: 'ignored',
        note: 'events are never padded',
        send: { stream: true, include_obfuscation: true },
        schema: 'ResponseStreamEvent',
      },
      ...include,
    ],
  },
  {
    route: 'POST /responses/{response_id}/cancel',
    smallest: {},
    call: async (client, _request, options) => {
      const { id } = await client.responses.create({ model: 'gpt-4o', input: '[[hang]]', background: true });
      return client.responses.cancel(id, options).asResponse();
    },
    cases: [
      {
        parameter: '',
        support: 'supported',
        note: 'of any response, in the background or not; harmless after its end',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ status: 'cancelled' }),
      },
    ],
  },
  {
    route: 'DELETE /responses/{response_id}',
    smallest: {},
    call: async (client, _request, options) => client.responses.delete(await begin(client), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        note: 'erases its job, with a receipt',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ object: 'response', deleted: true }),
      },
    ],
  },
  {
    route: 'GET /responses/{response_id}/input_items',
    smallest: {},
    call: async (client, { after, ...query }, options) => {
      const id = await begin(client);
      const { inputItems } = client.responses;
      const [first] = (await inputItems.list(id)).data;
      return inputItems
        .list(id, { ...query, ...(after !== undefined && first && { after: first.id }) }, options)
        .asResponse();
    },
    cases: [...paging('desc', texts), ...include],
  },
];
