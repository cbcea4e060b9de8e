import { FileListSchema, FileViewSchema } from '@aigolos/contracts';
import { useMongo, useRedis } from '@aigolos/testing';
import OpenAI, { NotFoundError, toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cutUpload } from '../../../test/cut-upload.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
const MAX_BYTES = 100_000;
let house: House;
let client: OpenAI;
beforeAll(async () => {
  house = await openHouse(redis, mongo, { FILE_MAX_BYTES: String(MAX_BYTES) });
  client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
});
afterAll(() => house.close());

const upload = (
  content: string | Uint8Array<ArrayBuffer>,
  fields: Record<string, string> = { purpose: 'user_data' },
) => {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('file', new Blob([content]), 'заметки.txt');
  return house.call('/v1/files', { method: 'POST', body });
};
const idOf = async (answer: Response) => FileViewSchema.parse(await answer.json()).id;

describe('the official client', () => {
  test('uploads, looks at, lists, reads and deletes a file', async () => {
    const file = await client.files.create({
      file: await toFile(Buffer.from('{"a":1}\n'), 'input.jsonl'),
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 3_600 },
    });
    expect(file).toMatchObject({ object: 'file', bytes: 8, filename: 'input.jsonl', purpose: 'batch' });
    expect(file.expires_at).toBe(file.created_at + 3_600);
    expect(await client.files.retrieve(file.id)).toEqual(file);
    expect(await (await client.files.content(file.id)).text()).toBe('{"a":1}\n');
    expect((await Array.fromAsync(client.files.list({ purpose: 'batch', limit: 1 }))).map(({ id }) => id)).toContain(
      file.id,
    );
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true });
    await expect(client.files.retrieve(file.id)).rejects.toThrow(NotFoundError);
    expect((await house.files()).blobs).not.toContain(file.id);
  });
});

describe('a list of files', () => {
  test('goes page by page in both orders and by purpose, each file once', async () => {
    const ids: string[] = [];
    for (const purpose of ['vision', 'vision', 'evals', 'vision'])
      ids.push(await idOf(await upload(purpose, { purpose })));
    const visions = [ids[0], ids[1], ids[3]];
    for (const [order, expected] of [
      ['asc', visions],
      ['desc', visions.toReversed()],
    ] as const) {
      const seen: string[] = [];
      for (let after = ''; ; ) {
        const answer = await house.call(`/v1/files?purpose=vision&limit=2&order=${order}${after}`);
        const page = FileListSchema.parse(await answer.json());
        seen.push(...page.data.map(({ id }) => id));
        if (!page.has_more) break;
        after = `&after=${page.last_id}`;
      }
      expect(seen).toEqual(expected);
    }
  });
});

describe('an upload', () => {
  test('that is large comes back byte by byte under the name that it came with', async () => {
    const content = crypto.getRandomValues(new Uint8Array(60_000));
    const id = await idOf(await upload(content));
    const answer = await house.call(`/v1/files/${id}/content`);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(content);
    expect(decodeURIComponent(answer.headers.get('content-disposition') ?? '')).toContain('заметки.txt');
    expect(answer.headers.get('content-length')).toBe('60000');
  });

  test.each([
    ['without a purpose', {}, 400, 'purpose: must be one of'],
    ['for a purpose that nobody knows', { purpose: 'fun' }, 400, 'must be one of assistants, batch'],
    [
      'that says too little time',
      { purpose: 'evals', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '9' },
      400,
      '3600',
    ],
  ])('%s is refused with the reason, and nothing is left', async (_, fields, status, reason) => {
    const before = await house.files();
    const answer = await upload('x', fields);
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(reason)]);
    expect(await house.files()).toEqual(before);
  });

  test('past the limit is a 413 that says the limit, and nothing is left', async () => {
    const before = await house.files();
    const answer = await upload(new Uint8Array(MAX_BYTES + 1));
    expect([answer.status, await answer.text()]).toEqual([413, expect.stringContaining(String(MAX_BYTES))]);
    expect(await house.files()).toEqual(before);
  });

  test('that is cut off in the middle leaves nothing', async () => {
    const before = await house.files();
    await cutUpload(house, '/v1/files', 'file');
    expect(await house.files()).toEqual(before);
  });
});

test("another account's file is the same 404 as none, to whatever is done with it", async () => {
  const id = await idOf(await upload('secret'));
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/content'],
    ['DELETE', ''],
  ] as const) {
    const [theirs, none] = await Promise.all(
      [id, 'file_none'].map(async (one) => {
        const answer = await house.call(`/v1/files/${one}${path}`, { method, key: house.keys.stranger });
        return [answer.status, (await answer.text()).replaceAll(one, '')];
      }),
    );
    expect(theirs).toEqual(none);
    expect(theirs?.[0]).toBe(404);
  }
  expect((await house.call(`/v1/files/${id}`)).status).toBe(200);
});
