import type OpenAI from 'openai';
import { expect } from 'vitest';
import type { RouteCases } from '../case.ts';
import { jsonOf } from './shows.ts';

/** A conversation of one turn. */
async function begin(client: OpenAI): Promise<string> {
  const request = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'hi' }], conversation: 'new' };
  const answer = (await client.chat.completions.create(request)) as unknown as { conversation: { id: string } };
  return answer.conversation.id;
}

export const conversations: RouteCases[] = [
  {
    route: 'POST /conversations',
    smallest: {},
    call: (client, request, options) => client.conversations.create(request, options).asResponse(),
    cases: [
      {
        parameter: 'items',
        support: 'supported',
        note: 'up to 20 messages of text, function calls and their outputs',
        send: { items: [{ type: 'message', role: 'user', content: 'hi' }] },
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ object: 'conversation', message_count: 1 }),
      },
      {
        parameter: 'metadata',
        support: 'supported',
        send: { metadata: { order: '17' } },
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ metadata: { order: '17' } }),
      },
    ],
  },
  {
    route: 'POST /conversations/{conversation_id}',
    smallest: { metadata: { order: '18' } },
    call: async (client, request, options) =>
      client.conversations
        .update(await begin(client), request as unknown as OpenAI.Conversations.ConversationUpdateParams, options)
        .asResponse(),
    cases: [
      {
        parameter: 'metadata',
        support: 'supported',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ metadata: { order: '18' } }),
      },
    ],
  },
  {
    route: 'GET /conversations/{conversation_id}',
    smallest: {},
    call: async (client, _request, options) => client.conversations.retrieve(await begin(client), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ object: 'conversation', message_count: 2 }),
      },
    ],
  },
  {
    route: 'DELETE /conversations/{conversation_id}',
    smallest: {},
    call: async (client, _request, options) => client.conversations.delete(await begin(client), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        note: 'erases its jobs and their files too',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ deleted: true }),
      },
    ],
  },
];
