import type OpenAI from 'openai';
import { expect } from 'vitest';
import type { RouteCases } from '../case.ts';
import { dataOf, include, jsonOf, paging } from './shows.ts';

const say = (content: string) => ({ type: 'message' as const, role: 'user' as const, content });
const texts = (...said: string[]) => said.map((text) => ({ content: [{ text }] }));

/** A conversation of two items, and the one that comes first in its list. */
async function begin(client: OpenAI): Promise<{ conversation_id: string; first: string }> {
  const { id } = await client.conversations.create({ items: [say('one'), say('two')] });
  const [item] = (await client.conversations.items.list(id)).data;
  return { conversation_id: id, first: item?.id ?? '' };
}

export const conversationItems: RouteCases[] = [
  {
    route: 'GET /conversations/{conversation_id}/items',
    smallest: {},
    call: async (client, { after, ...query }, options) => {
      const { conversation_id: id, first } = await begin(client);
      const page = { ...query, ...(after !== undefined && { after: first }) };
      return client.conversations.items.list(id, page, options).asResponse();
    },
    cases: [...paging('desc', texts), ...include],
  },
  {
    route: 'POST /conversations/{conversation_id}/items',
    smallest: { items: [say('three')] },
    call: async (client, request, options) => {
      const { conversation_id: id } = await begin(client);
      return client.conversations.items
        .create(id, request as unknown as OpenAI.Conversations.ItemCreateParams, options)
        .asResponse();
    },
    cases: [
      {
        parameter: 'items',
        value: 'messages of text, function calls and their outputs',
        support: 'supported',
        note: 'up to 20',
        shows: (answer) => expect(dataOf(answer)).toMatchObject(texts('three')),
      },
      {
        parameter: 'items',
        value: 'others',
        support: 'refused',
        send: { items: [{ type: 'item_reference', id: 'msg_1' }] },
      },
      ...include,
    ],
  },
  {
    route: 'GET /conversations/{conversation_id}/items/{item_id}',
    smallest: {},
    call: async (client, query, options) => {
      const { first, ...of } = await begin(client);
      return client.conversations.items.retrieve(first, { ...query, ...of }, options).asResponse();
    },
    cases: [
      {
        parameter: '',
        support: 'supported',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject(texts('two')[0] ?? {}),
      },
      ...include,
    ],
  },
  {
    route: 'DELETE /conversations/{conversation_id}/items/{item_id}',
    smallest: {},
    call: async (client, _request, options) => {
      const { first, ...of } = await begin(client);
      return client.conversations.items.delete(first, of, options).asResponse();
    },
    cases: [
      {
        parameter: '',
        support: 'supported',
        note: 'the job of its turn keeps what was sent and answered until it goes',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ object: 'conversation', message_count: 1 }),
      },
    ],
  },
];
