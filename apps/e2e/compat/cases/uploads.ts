import { createHash } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { expect } from 'vitest';
import type { RouteCases } from '../case.ts';
import { jsonOf } from './shows.ts';

const PARTS = ['Good ', 'morning.'];
const WHOLE = PARTS.join('');
const SECONDS = 7_200;
const upload = {
  filename: 'note.txt',
  purpose: 'user_data' as const,
  bytes: WHOLE.length,
  mime_type: 'text/plain',
};
const begin = async (client: OpenAI) => (await client.uploads.create(upload)).id;
const told = (fields: object) => (answer: { json?: unknown }) => expect(answer.json).toMatchObject(fields);

async function addPart(client: OpenAI, id: string, part: string): Promise<string> {
  return (await client.uploads.parts.create(id, { data: await toFile(Buffer.from(part)) })).id;
}

export const uploads: RouteCases[] = [
  {
    route: 'POST /uploads',
    smallest: upload,
    call: (client, request, options) =>
      client.uploads.create(request as unknown as OpenAI.UploadCreateParams, options).asResponse(),
    cases: [
      {
        parameter: 'filename',
        support: 'supported',
        send: { filename: 'other.txt' },
        shows: told({ filename: 'other.txt' }),
      },
      { parameter: 'purpose', support: 'supported', send: { purpose: 'batch' }, shows: told({ purpose: 'batch' }) },
      { parameter: 'bytes', support: 'supported', send: { bytes: 7 }, shows: told({ bytes: 7 }) },
      { parameter: 'mime_type', support: 'supported', note: 'taken, but the content is what counts' },
      {
        parameter: 'expires_after',
        support: 'supported',
        note: 'of the file, an hour to 30 days',
        send: { expires_after: { anchor: 'created_at', seconds: SECONDS } },
      },
    ],
  },
  {
    route: 'POST /uploads/{upload_id}/parts',
    smallest: {},
    call: async (client, _request, options) => {
      const data = await toFile(Buffer.from(WHOLE));
      return client.uploads.parts.create(await begin(client), { data }, options).asResponse();
    },
    cases: [{ parameter: 'data', support: 'supported', note: 'up to 64 MB', shows: told({ object: 'upload.part' }) }],
  },
  {
    route: 'POST /uploads/{upload_id}/complete',
    smallest: {},
    call: async (client, request, options) => {
      const id = await begin(client);
      const part_ids: string[] = [];
      for (const part of PARTS) part_ids.push(await addPart(client, id, part));
      return client.uploads.complete(id, { part_ids, ...request }, options).asResponse();
    },
    cases: [
      {
        parameter: 'part_ids',
        support: 'supported',
        note: 'in the order of the file',
        shows: told({ status: 'completed', file: { bytes: WHOLE.length, filename: 'note.txt' } }),
      },
      {
        parameter: 'md5',
        support: 'supported',
        send: { md5: createHash('md5').update(WHOLE).digest('hex') },
        shows: told({ status: 'completed' }),
      },
      { parameter: 'md5', value: 'of something else', support: 'refused', send: { md5: '0'.repeat(32) } },
    ],
  },
  {
    route: 'POST /uploads/{upload_id}/cancel',
    smallest: {},
    call: async (client, _request, options) => client.uploads.cancel(await begin(client), options).asResponse(),
    cases: [
      {
        parameter: '',
        support: 'supported',
        shows: (answer) => expect(jsonOf(answer)).toMatchObject({ status: 'cancelled' }),
      },
    ],
  },
];
