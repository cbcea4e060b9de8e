import OpenAI, { toFile } from 'openai';
import { expect } from 'vitest';
import type { RouteCases } from '../case.ts';
import { dataOf, jsonOf } from './shows.ts';

const ENDPOINT = '/v1/chat/completions';
const HOUR = 3_600;
const body = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] };
const upload = async (client: OpenAI) => {
  const line = `${JSON.stringify({ custom_id: 'one', method: 'POST', url: ENDPOINT, body })}\n`;
  return (await client.files.create({ file: await toFile(Buffer.from(line), 'in.jsonl'), purpose: 'batch' })).id;
};
const begin = async (client: OpenAI, metadata = {}) =>
  (
    await client.batches.create({
      input_file_id: await upload(client),
      endpoint: ENDPOINT,
      completion_window: '24h',
      metadata,
    })
  ).id;
/** OpenAI's other endpoints are routes that are not here. */
const NOT_HERE = [
  '/v1/embeddings',
  '/v1/completions',
  '/v1/moderations',
  '/v1/images/generations',
  '/v1/images/edits',
  '/v1/videos',
];

export const batches: RouteCases[] = [
  {
    route: 'POST /batches',
    smallest: { endpoint: ENDPOINT, completion_window: '24h' },
    call: async (client, request, options) => {
      const given = { input_file_id: await upload(client), ...request } as OpenAI.BatchCreateParams;
      return client.batches.create(given, options).asResponse();
    },
    cases: [
      {
        parameter: 'input_file_id',
        support: 'supported',
        note: 'up to 50,000 lines and 200 MB',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ input_file_id: expect.stringMatching(/^file_/) }),
      },
      {
        parameter: 'endpoint',
        value: '/v1/chat/completions, /v1/responses',
        support: 'supported',
        note: 'and the three audio routes; audio is named by the id of its file',
        send: { endpoint: '/v1/responses' },
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ endpoint: '/v1/responses' }),
      },
      ...NOT_HERE.map((endpoint) => ({
        parameter: 'endpoint',
        value: endpoint,
        support: 'refused' as const,
        send: { endpoint },
      })),
      {
        parameter: 'completion_window',
        support: 'supported',
        shows: (answer) => {
          const { created_at, expires_at } = jsonOf(answer) as OpenAI.Batch;
          expect((expires_at ?? 0) - created_at).toBeCloseTo(24 * HOUR, -1);
        },
      },
      {
        parameter: 'metadata',
        support: 'supported',
        send: { metadata: { of: 'the suite' } },
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ metadata: { of: 'the suite' } }),
      },
      {
        parameter: 'output_expires_after',
        support: 'supported',
        note: 'an hour to 30 days, which is the default',
        send: { output_expires_after: { anchor: 'created_at', seconds: HOUR } },
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ object: 'batch' }),
      },
    ],
  },
  {
    route: 'GET /batches',
    smallest: {},
    call: async (client, { after, ...query }, options) => {
      await begin(client, { nth: 'first' });
      const second = await begin(client, { nth: 'second' });
      return client.batches.list({ ...query, ...(after !== undefined && { after: second }) }, options).asResponse();
    },
    cases: [
      {
        parameter: 'after',
        support: 'supported',
        send: { after: 'the second', limit: 1 },
        shows: (answer) => expect(dataOf(answer)).toMatchObject([{ metadata: { nth: 'first' } }]),
      },
      {
        parameter: 'limit',
        support: 'supported',
        note: '1 to 100',
        send: { limit: 1 },
        shows: (answer) => expect(dataOf(answer)).toMatchObject([{ metadata: { nth: 'second' } }]),
      },
    ],
  },
  {
    route: 'GET /batches/{batch_id}',
    smallest: {},
    call: async (client, _request, options) => client.batches.retrieve(await begin(client), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ object: 'batch', endpoint: ENDPOINT }),
      },
    ],
  },
  {
    route: 'POST /batches/{batch_id}/cancel',
    smallest: {},
    call: async (client, _request, options) => client.batches.cancel(await begin(client), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        note: 'what is done by then is in its files',
        shows: (answer) => {
          // One line is sometimes quicker than its cancel.
          const { status } = jsonOf(answer) as OpenAI.Batch;
          expect(['cancelling', 'cancelled', 'completed', 'finalizing']).toContain(status);
        },
      },
    ],
  },
];
