import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@aigolos/db';
import { audioClip, testConfig, useMongo, useRedis } from '@aigolos/testing';
import pMap from 'p-map';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHAT } from './answers.ts';
import { type House, openHouse } from './harness.ts';
import { ESCAPED_FILE, INJECTED_HEADER, OPERAND, POLLUTION } from './injection/corpus.ts';
import { type DatabaseTap, openDatabaseTap } from './injection/database-tap.ts';
import type { HostileRequest, Prepared } from './injection/hostile-request.ts';
import { type Description, hostileRequests } from './injection/requests.ts';
import { type Answer, createSender } from './injection/send.ts';

const redis = useRedis();
const mongo = useMongo();
const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
const AT_ONCE = 8;
let house: House;
let tap: DatabaseTap;
let tappedUrl: URL;
beforeAll(async () => {
  tappedUrl = new URL(mongo.newDatabaseUrl());
  tap = await openDatabaseTap(Number(tappedUrl.port), OPERAND);
  tappedUrl.port = String(tap.port);
  house = await openHouse(redis, mongo, { MONGO_URL: tappedUrl.href });
});
afterAll(async () => {
  await house.close();
  await tap.close();
});

async function prepare(): Promise<Prepared> {
  const made = async (path: string, body: unknown) => {
    const answer = await house.post(path, body, { prefer: 'respond-async' });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as { id: string; data: { id: string }[] };
  };
  const form = new FormData();
  form.set('purpose', 'user_data');
  form.set('file', new Blob(['x']), 'x.txt');
  const file = ((await (await house.call('/v1/files', { method: 'POST', body: form })).json()) as { id: string }).id;
  const conversation = (await made('/v1/conversations', {})).id;
  const message = { type: 'message', role: 'user', content: 'hi' };
  const item = (await made(`/v1/conversations/${conversation}/items`, { items: [message] })).data[0]?.id ?? '';
  const chat = (await made('/v1/chat/completions', { ...CHAT, store: true })).id;
  const response = (await made('/v1/responses', { model: 'gpt-4o', input: 'hi', background: true })).id;
  const upload = await made('/v1/uploads', { filename: 'x', purpose: 'user_data', bytes: 1, mime_type: 'text/plain' });
  const endpoint = (await made('/v1/webhook_endpoints', { url: 'https://example.com/' })).id;
  return {
    ids: {
      '/v1/files/{id}': file,
      '/v1/conversations/{id}': conversation,
      '/v1/conversations/{id}/items/{item}': item,
      '/v1/chat/completions/{id}': chat,
      '/v1/jobs/{id}': chat,
      '/v1/responses/{id}': response,
      '/v1/uploads/{id}': upload.id,
      '/v1/webhook_endpoints/{id}': endpoint,
    },
    known: {
      voice: 'alloy',
      url: 'https://example.com/',
      webhook_url: 'https://example.com/',
      input_file_id: file,
      endpoint: '/v1/chat/completions',
      purpose: 'user_data',
      conversation: 'new',
      // Of nobody, since whoever erases an account has no key any more.
      scope: { type: 'conversation', id: 'conv_none' },
    },
    audio: await readFile(audioClip('count')),
  };
}

/** What of an answer shows that something has come through. */
function breaches({ place, path }: HostileRequest, { status, headers, body }: Answer): string[] {
  const found = [
    status >= 500 && `answered ${status}: ${body.slice(0, 300)}`,
    headers[INJECTED_HEADER] !== undefined && 'a header was injected',
    body.includes('root:x:0:0') && 'a file of the system was sent',
    /\n\s+at .*:\d+|node_modules|Mongo(Server)?Error|ReplyError/.test(body) && `internals: ${body.slice(0, 300)}`,
    body.includes(REPOSITORY) && 'a path of this machine was sent',
    headers['content-type']?.includes('json') === true && !isJson(body) && `not JSON: ${body.slice(0, 100)}`,
  ];
  return found.filter((text) => text !== false).map((text) => `${place} (${path.slice(0, 200)}): ${text}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('whatever stands in any field, id or header of any route: no failure of ours, nothing escapes, and no operator reaches the database', async () => {
  const description = JSON.parse(await readFile(join(REPOSITORY, 'docs', 'openapi.json'), 'utf8')) as Description;
  const sender = createSender(house.url, house.keys.user);
  const statuses = new Map<number, number>();
  const places = new Set<string>();
  const found: string[] = [];
  await pMap(
    hostileRequests(description, await prepare(), { all: testConfig.TEST_INJECTIONS }),
    async (hostile) => {
      const answer = await sender.send(hostile).catch((error: unknown) => {
        throw new Error(`${hostile.place} (${hostile.path.slice(0, 200)}): ${String(error)}`);
      });
      places.add(hostile.place);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      found.push(...breaches(hostile, answer));
    },
    { concurrency: AT_ONCE },
  );
  sender.close();
  expect(found).toEqual([]);
  expect(tap.found()).toEqual([]);
  // So it was something that was sent, and the right requests among them were served.
  expect(places.size).toBeGreaterThan(500);
  expect(statuses.get(200) ?? 0).toBeGreaterThan(100);
  expect(statuses.get(202) ?? 0).toBeGreaterThan(100);
  expect(tap.commands()).toBeGreaterThan(1_000);

  expect(({} as Record<string, unknown>)[POLLUTION]).toBeUndefined();
  for (const folder of [tmpdir(), '/', process.cwd(), join(process.cwd(), '..')]) {
    expect(existsSync(join(folder, ESCAPED_FILE))).toBe(false);
  }
  const { spool, blobs } = await house.files();
  expect(spool).toEqual([]);
  for (const name of blobs) expect(name).toMatch(/^[a-z]+_[0-9a-z]+$/);
  expect((await readdir(tmpdir())).filter((name) => name.includes(ESCAPED_FILE))).toEqual([]);
  expect((await fetch(new URL('/readyz', house.url))).status).toBe(200);
}, 180_000);

test('an operator in a filter would have been seen', async () => {
  const before = tap.found().length;
  const db = await openDatabase(tappedUrl.href);
  await db.jobs.list({ account: { $gt: OPERAND } as never, limit: 1 }).catch(() => {});
  await db.close();
  expect(tap.found().slice(before)).toEqual([expect.stringContaining(OPERAND)]);
});
