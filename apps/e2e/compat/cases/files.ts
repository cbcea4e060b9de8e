import OpenAI, { toFile } from 'openai';
import { expect } from 'vitest';
import type { RouteCases } from '../case.ts';
import { dataOf, jsonOf } from './shows.ts';

const HOUR = 3_600;
const text = (name: string) => toFile(Buffer.from(`This is ${name}.`), `${name}.txt`);
const upload = async (client: OpenAI, name: string, purpose: OpenAI.FilePurpose = 'user_data') =>
  (await client.files.create({ file: await text(name), purpose })).id;
const named = (...names: string[]) => names.map((name) => ({ filename: `${name}.txt` }));

export const files: RouteCases[] = [
  {
    route: 'POST /files',
    smallest: { purpose: 'user_data' },
    call: async (client, request, options) => {
      const form = { file: await text('note'), ...request } as OpenAI.FileCreateParams;
      return client.files.create(form, options).asResponse();
    },
    cases: [
      {
        parameter: 'file',
        support: 'supported',
        note: 'anything',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ filename: 'note.txt', bytes: 13 }),
      },
      {
        parameter: 'purpose',
        support: 'supported',
        note: "OpenAI's, for which there is nothing else here",
        send: { purpose: 'evals' },
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ purpose: 'evals' }),
      },
      {
        parameter: 'expires_after',
        support: 'supported',
        note: 'an hour to 30 days',
        send: { expires_after: { anchor: 'created_at', seconds: HOUR } },
        shows: (answer) => {
          const { created_at, expires_at } = jsonOf(answer) as OpenAI.FileObject;
          expect((expires_at ?? 0) - created_at).toBe(HOUR);
        },
      },
    ],
  },
  {
    route: 'GET /files',
    smallest: {},
    call: async (client, { after, ...query }, options) => {
      await upload(client, 'first', 'vision');
      const second = await upload(client, 'second');
      return client.files.list({ ...query, ...(after !== undefined && { after: second }) }, options).asResponse();
    },
    cases: [
      {
        parameter: 'after',
        support: 'supported',
        send: { after: 'the second', limit: 1 },
        shows: (answer) => expect(dataOf(answer)).toMatchObject(named('first')),
      },
      {
        parameter: 'limit',
        support: 'supported',
        note: '1 to 10,000',
        send: { limit: 1 },
        shows: (answer) => expect(dataOf(answer)).toMatchObject(named('second')),
      },
      {
        parameter: 'order',
        support: 'supported',
        send: { order: 'asc' },
        shows: (answer) => expect(dataOf(answer).slice(-2)).toMatchObject(named('first', 'second')),
      },
      {
        parameter: 'purpose',
        support: 'supported',
        send: { purpose: 'vision' },
        shows: (answer) => {
          const found = dataOf(answer);
          expect(found).toEqual(found.map(() => expect.objectContaining({ purpose: 'vision' })));
          expect(found[0]).toMatchObject({ filename: 'first.txt' });
        },
      },
    ],
  },
  {
    route: 'GET /files/{file_id}',
    smallest: {},
    call: async (client, _request, options) =>
      client.files.retrieve(await upload(client, 'note'), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ filename: 'note.txt', status: 'processed' }),
      },
    ],
  },
  {
    route: 'DELETE /files/{file_id}',
    smallest: {},
    call: async (client, _request, options) => client.files.delete(await upload(client, 'note'), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ deleted: true }),
      },
    ],
  },
  {
    route: 'GET /files/{file_id}/content',
    smallest: {},
    call: async (client, _request, options) => client.files.content(await upload(client, 'note'), options).asResponse(),
    cases: [{ parameter: '', support: 'supported', shows: (answer) => expect(answer.text).toBe('This is note.') }],
  },
];
