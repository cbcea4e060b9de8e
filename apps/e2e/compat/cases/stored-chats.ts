import type OpenAI from 'openai';
import { expect } from 'vitest';
import type { RouteCases } from '../case.ts';
import { dataOf, jsonOf, paging } from './shows.ts';

/** A stored completion that says which one it is. */
async function store(client: OpenAI, turn: string): Promise<string> {
  const messages = ['one', 'two'].map((content) => ({ role: 'user' as const, content }));
  return (await client.chat.completions.create({ model: 'gpt-4o', messages, store: true, metadata: { turn } })).id;
}

/** Two stored completions. @returns the id of the first. */
async function storeTwo(client: OpenAI): Promise<string> {
  const first = await store(client, 'first');
  await store(client, 'second');
  return first;
}

const contents = (...said: string[]) => said.map((content) => ({ content }));
const turn = (name: string) => ({ metadata: { turn: name } });

export const storedChats: RouteCases[] = [
  {
    route: 'GET /chat/completions',
    smallest: {},
    call: async (client, { after, ...query }, options) => {
      const first = await storeTwo(client);
      return client.chat.completions
        .list({ ...query, ...(after !== undefined && { after: first }) }, options)
        .asResponse();
    },
    cases: [
      {
        parameter: 'after',
        support: 'supported',
        send: { after: 'the first' },
        shows: (answer) => expect(dataOf(answer)).toMatchObject([turn('second')]),
      },
      {
        parameter: 'limit',
        support: 'supported',
        note: '1 to 100',
        send: { limit: 1 },
        shows: (answer) => {
          expect(dataOf(answer)).toHaveLength(1);
          expect(jsonOf(answer)).toMatchObject({ has_more: true });
        },
      },
      {
        parameter: 'order',
        support: 'supported',
        send: { order: 'desc', limit: 2 },
        shows: (answer) => expect(dataOf(answer)).toMatchObject([turn('second'), turn('first')]),
      },
      {
        parameter: 'metadata',
        support: 'supported',
        send: turn('second'),
        shows: (answer) => {
          const found = dataOf(answer);
          expect(found).toEqual(found.map(() => expect.objectContaining(turn('second'))));
          expect(found).not.toHaveLength(0);
        },
      },
      {
        parameter: 'model',
        support: 'supported',
        note: 'the one that ran',
        send: { model: 'another-one' },
        shows: (answer) => expect(dataOf(answer)).toEqual([]),
      },
    ],
  },
  {
    route: 'GET /chat/completions/{completion_id}',
    smallest: {},
    call: async (client, _request, options) =>
      client.chat.completions.retrieve(await store(client, 'first'), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        note: 'those that were sent with store',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject(turn('first')),
      },
    ],
  },
  {
    route: 'POST /chat/completions/{completion_id}',
    smallest: turn('changed'),
    call: async (client, request, options) => {
      const id = await store(client, 'first');
      return client.chat.completions.update(id, request as ReturnType<typeof turn>, options).asResponse();
    },
    cases: [
      {
        parameter: 'metadata',
        support: 'supported',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject(turn('changed')),
      },
    ],
  },
  {
    route: 'DELETE /chat/completions/{completion_id}',
    smallest: {},
    call: async (client, _request, options) =>
      client.chat.completions.delete(await store(client, 'first'), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        note: 'erases its job, with a receipt',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ deleted: true }),
      },
    ],
  },
  {
    route: 'GET /chat/completions/{completion_id}/messages',
    smallest: {},
    call: async (client, { after, ...query }, options) => {
      const id = await store(client, 'first');
      const { messages } = client.chat.completions;
      const [first] = (await messages.list(id)).data;
      return messages
        .list(id, { ...query, ...(after !== undefined && first && { after: first.id }) }, options)
        .asResponse();
    },
    cases: paging('asc', contents),
  },
];
