import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { newId, UploadPartViewSchema, type UploadView, UploadViewSchema } from '@aigolos/contracts';
import { expire } from '@aigolos/lifecycle';
import { testLog, useMongo, useRedis } from '@aigolos/testing';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cutUpload } from '../../../test/cut-upload.ts';
import { type House, openHouse } from '../../../test/harness.ts';
import { createFiles } from '../files/files.service.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
beforeAll(async () => {
  house = await openHouse(redis, mongo, { FILE_MAX_BYTES: '100000' });
});
afterAll(() => house.close());

const begun = async (bytes: number): Promise<UploadView> => {
  const what = { filename: 'talk.wav', purpose: 'user_data', bytes, mime_type: 'audio/wav' };
  return UploadViewSchema.parse(await (await house.post('/v1/uploads', what)).json());
};
const send = (upload: string, data: string, key = house.keys.user) => {
  const body = new FormData();
  body.append('data', new Blob([data]));
  return house.call(`/v1/uploads/${upload}/parts`, { method: 'POST', body, key });
};
const part = async (upload: string, data: string) =>
  UploadPartViewSchema.parse(await (await send(upload, data)).json()).id;
const complete = (upload: string, part_ids: string[], md5?: string) =>
  house.post(`/v1/uploads/${upload}/complete`, { part_ids, ...(md5 !== undefined && { md5 }) });
const content = async (file: string) => (await house.call(`/v1/files/${file}/content`)).text();
const completed = async (answer: Response) => {
  const { file, status } = UploadViewSchema.parse(await answer.json());
  expect(status).toBe('completed');
  return file?.id ?? '';
};
const md5Of = (text: string) => createHash('md5').update(text).digest('hex');

test('the official client uploads in parts', async () => {
  const client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
  const { id, status } = await client.uploads.create({
    filename: 'a.jsonl',
    purpose: 'batch',
    bytes: 6,
    mime_type: 'application/jsonl',
  });
  expect(status).toBe('pending');
  const ids: string[] = [];
  for (const data of ['one', 'two']) {
    ids.push((await client.uploads.parts.create(id, { data: await toFile(Buffer.from(data), 'part') })).id);
  }
  const done = await client.uploads.complete(id, { part_ids: ids, md5: md5Of('onetwo') });
  expect(done.file).toMatchObject({ bytes: 6, filename: 'a.jsonl', purpose: 'batch' });
  expect(await (await client.files.content(done.file?.id ?? '')).text()).toBe('onetwo');
});

describe('completing', () => {
  test('goes by the order of part_ids, takes those alone, and leaves no part behind', async () => {
    const { id } = await begun(6);
    const [two, , one] = [await part(id, 'two'), await part(id, 'unused'), await part(id, 'one')];
    expect(await content(await completed(await complete(id, [one, two])))).toBe('onetwo');
    expect((await house.files()).blobs).not.toContain(id);
  });

  test('twice, also at the same moment, is the same file', async () => {
    const { id } = await begun(6);
    const ids = [await part(id, 'one'), await part(id, 'two')];
    const answers = await Promise.all([1, 2, 3].map(() => complete(id, ids)));
    const files = await Promise.all([...answers, await complete(id, ids)].map(completed));
    expect(new Set(files).size).toBe(1);
    expect(await content(files[0] ?? '')).toBe('onetwo');
  });

  test('of too few bytes is refused with both numbers, and the upload goes on', async () => {
    const { id } = await begun(7);
    const ids = [await part(id, 'one'), await part(id, 'two')];
    const answer = await complete(id, ids);
    const reason = 'have 6 bytes together; the upload was begun for 7';
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(reason)]);
    expect(await content(await completed(await complete(id, [...ids, await part(id, '!')])))).toBe('onetwo!');
  });

  test('in another order than the digest says, with a part that is not its own or twice, is refused with the reason', async () => {
    const { id } = await begun(6);
    const other = await begun(3);
    const [one, two] = [await part(id, 'one'), await part(id, 'two')];
    const foreign = await part(other.id, 'two');
    const refused = async (ids: string[], md5?: string) => {
      const answer = await complete(id, ids, md5);
      return [answer.status, await answer.text()];
    };
    expect(await refused([two, one], md5Of('onetwo'))).toEqual([400, expect.stringContaining('MD5')]);
    expect(await refused([one, foreign])).toEqual([400, expect.stringContaining(`has no part ${foreign}`)]);
    expect(await refused([one, one])).toEqual([400, expect.stringContaining('twice')]);
    expect((await house.files()).spool).toEqual([]);
    await completed(await complete(id, [one, two], md5Of('onetwo')));
    expect(await refused([two, one])).toEqual([400, expect.stringContaining('upload_not_pending')]);
  });

  test('makes one whole file where several processes make it at the same moment', async () => {
    const files = createFiles({ files: house.db.files, blobs: house.blobs });
    const what = { id: newId('file'), account: house.account, purpose: 'evals', filename: 'f' } as const;
    const spooled = await Promise.all(
      [1, 2, 3].map(() => house.blobs.receive(Readable.from([Buffer.from('one')]), { maxBytes: 3 })),
    );
    const made = await Promise.all(spooled.map((file) => files.keep(file, what)));
    expect(made.filter(({ createdAt }) => createdAt.getTime() !== made[0]?.createdAt.getTime())).toEqual([]);
    expect(await content(what.id)).toBe('one');
  });

  test('again, after its file was deleted, says that the file is not there', async () => {
    const { id } = await begun(3);
    const ids = [await part(id, 'one')];
    const file = await completed(await complete(id, ids));
    await house.call(`/v1/files/${file}`, { method: 'DELETE' });
    const answer = await complete(id, ids);
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining(file)]);
  });

  test('goes on where a process died after it had chosen the parts', async () => {
    const { id } = await begun(3);
    const ids = [await part(id, 'one')];
    await house.db.uploads.end(house.account, id, { status: 'completed', partIds: ids });
    expect(await content(await completed(await complete(id, ids)))).toBe('one');
  });
});

describe('an upload', () => {
  test('that is cancelled loses its parts and takes no more; cancelling is harmless twice, not after the end', async () => {
    const { id } = await begun(3);
    const ids = [await part(id, 'one')];
    for (let time = 0; time < 2; time += 1) {
      const answer = await house.post(`/v1/uploads/${id}/cancel`, {});
      expect(UploadViewSchema.parse(await answer.json())).toMatchObject({ status: 'cancelled', file: null });
    }
    expect((await house.files()).blobs).not.toContain(id);
    for (const answer of [await send(id, 'two'), await complete(id, ids)]) expect(answer.status).toBe(400);
    expect((await house.files()).blobs).not.toContain(id);
    const done = await begun(3);
    await completed(await complete(done.id, [await part(done.id, 'one')]));
    expect((await house.post(`/v1/uploads/${done.id}/cancel`, {})).status).toBe(400);
  });

  test('that is not completed within an hour is gone with its parts; the file of one that was stays', async () => {
    const [late, done] = [await begun(3), await begun(3)];
    await part(late.id, 'one');
    const file = await completed(await complete(done.id, [await part(done.id, 'one')]));
    const later = new Date(late.expires_at * 1_000 + 1_000);
    const nothing = { remove: () => Promise.resolve() };
    const deps = {
      db: house.db,
      blobs: house.blobs,
      producer: nothing,
      live: nothing,
      log: testLog,
    };
    await expire(deps, later, new AbortController().signal);
    expect((await house.files()).blobs).not.toContain(late.id);
    expect((await send(late.id, 'two')).status).toBe(404);
    expect(await content(file)).toBe('one');
  });

  test('larger than the limit is refused before anything is sent, and parts without end too', async () => {
    const answer = await house.post('/v1/uploads', {
      filename: 'f',
      purpose: 'evals',
      bytes: 100_001,
      mime_type: 'text/plain',
    });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('at most 100000')]);
    const most = { parts: 2, bytes: 10 };
    const { id } = await begun(3);
    const add = (bytes: number) =>
      house.db.uploads.addPart(house.account, id, { part: { id: `part_${bytes}`, blobKey: 'k', bytes }, most });
    expect([await add(11), await add(4), await add(7), await add(6), await add(0)]).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
  });

  test('of another account is the same 404 as none', async () => {
    const { id } = await begun(3);
    const theirs = await send(id, 'one', house.keys.stranger);
    const none = await send('upload_none', 'one');
    expect([theirs.status, none.status]).toEqual([404, 404]);
    expect((await theirs.text()).replaceAll(id, '')).toBe((await none.text()).replaceAll('upload_none', ''));
    expect((await house.files()).spool).toEqual([]);
  });

  test('whose part is cut off in the middle has nothing of it', async () => {
    const { id } = await begun(50_000);
    await cutUpload(house, `/v1/uploads/${id}/parts`, 'data');
    expect((await house.files()).blobs).not.toContain(id);
    expect((await house.db.uploads.findOwned(house.account, id))?.parts).toEqual([]);
  });
});
