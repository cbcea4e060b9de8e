import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { openBlobStore } from '@aigolos/blob-store';
import { type ErasureView, type JobView, JwksSchema, newId } from '@aigolos/contracts';
import { newJobRecord } from '@aigolos/db';
import { backUp, verifyReceipt } from '@aigolos/lifecycle';
import { type AppProcess, audioClip, type DatabaseShell, openDatabaseShell, waitUntil } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from './stack.ts';

const PLACES = [
  'username',
  'audio',
  'fileName',
  'prompt',
  'message',
  'speech',
  'metadata',
  'webhook',
  'running',
] as const;
type Place = (typeof PLACES)[number];
const marker = Object.fromEntries(PLACES.map((place) => [place, `mark-${place}-${randomUUID()}`])) as Record<
  Place,
  string
>;

let stack: Stack;
let shell: DatabaseShell;
let backupDir: string;
let receiver: { url: string; heard: string[]; close: () => void };
/** All processes that ever ran: those that ended have said something too. */
const processes: AppProcess[] = [];
beforeAll(async () => {
  backupDir = await mkdtemp(join(tmpdir(), 'aigolos-backups-'));
  const env = { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8', BACKUP_DIR: backupDir };
  stack = await startStack({ engines: 'test', env });
  for (const name of ['gateway', 'worker-asr', 'worker-llm', 'worker-tts', 'worker-maintenance'] as const) {
    processes.push(stack.app(name));
  }
  processes.push(stack.app('worker-webhooks'));
  shell = openDatabaseShell(stack.mongoUrl);
  receiver = await startReceiver();
});
afterAll(async () => {
  receiver?.close();
  await shell?.close();
  await stack?.stop();
  await rm(backupDir, { recursive: true, force: true });
});

test('what is erased while the processes that erase it are killed is found nowhere any more, and each receipt is one', async () => {
  const ada = await newAccount();
  const conversation = await plant(ada);
  const before = await search();
  // So the search finds what is there. A file's name is kept nowhere, and one marker is yet to come.
  expect(PLACES.filter((place) => before[place].length === 0)).toEqual(['fileName', 'running']);
  expect(before.message).toEqual(expect.arrayContaining(['database', 'export', 'backup']));
  expect(before.audio).toEqual(expect.arrayContaining(['input', 'export', 'backup']));

  const erasures = await eraseWhileProcessesDie(ada, conversation);
  const views = await Promise.all(erasures.map(untilFinished));
  expect(views.map(({ scope }) => scope.type)).toEqual(['conversation', 'account']);
  expect(views[0]?.removed).toMatchObject({ conversation: 1, message: 2 });
  expect(views[1]?.removed).toMatchObject({
    account: 1,
    api_key: 1,
    backup: 1,
    export: 1,
    file: expect.any(Number),
    speech: 1,
    transcription: 1,
    webhook_delivery: expect.any(Number),
    webhook_endpoint: 1,
  });
  const keys = JwksSchema.parse(await (await fetch(`${stack.url}/.well-known/jwks.json`)).json());
  for (const { id, receipt } of views) {
    expect(await verifyReceipt(receipt ?? '', keys)).toMatchObject({ jti: id, sub: ada.id });
    expect((await untilFinished(id)).receipt).toBe(receipt);
  }
  expect(await search()).toEqual(Object.fromEntries(PLACES.map((place) => [place, []])));
  expect((await ada.call('/v1/jobs')).status).toBe(401);
}, 180_000);

interface Account {
  id: string;
  call(path: string, init?: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }): Promise<Response>;
  /** A POST of a JSON body, which must be answered with success. */
  post<Answer>(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
}

async function newAccount(): Promise<Account> {
  const { _id: id } = await stack.db.access.ensureAccount(marker.username);
  const { key } = await stack.db.access.createKey({ account: id, role: 'user', label: 'test' });
  const call: Account['call'] = (path, { headers, ...init } = {}) =>
    fetch(`${stack.url}${path}`, { ...init, headers: { ...headers, authorization: `Bearer ${key}` } });
  return {
    id,
    call,
    async post(path, body, headers = {}) {
      const json = { 'content-type': 'application/json', ...headers };
      const response = await call(path, { method: 'POST', body: JSON.stringify(body), headers: json });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json().catch(() => undefined)) as never;
    },
  };
}

const chat = (content: string, conversation: string) => ({
  model: 'gpt-4o',
  messages: [{ role: 'user', content }],
  conversation,
});

/** Leaves a marker in each place that data can come to. @returns the conversation. */
async function plant(ada: Account): Promise<string> {
  await ada.post('/v1/webhook_endpoints', { url: `${receiver.url}/${marker.webhook}` });
  const form = new FormData();
  const sound = [await readFile(audioClip('count')), marker.audio];
  form.set('file', new Blob(sound), `${marker.fileName}.wav`);
  form.set('model', 'whisper-1');
  form.set('prompt', marker.prompt);
  expect((await ada.call('/v1/audio/transcriptions', { method: 'POST', body: form })).status).toBe(200);
  const answer = await ada.post<{ conversation: { id: string } }>(
    '/v1/chat/completions',
    chat(`say ${marker.message}`, 'new'),
  );
  await ada.post('/v1/audio/speech', { model: 'tts-1', voice: 'alloy', input: `say ${marker.speech}` });
  const task = { model: 'test', messages: [], stop: [] };
  const metadata = { note: marker.metadata };
  const job = newJobRecord({
    _id: newId('chat'),
    kind: 'chat',
    account: ada.id,
    status: 'completed',
    task,
    metadata,
  });
  await stack.db.jobs.insert(job);
  await waitUntil('webhooks have arrived', () => receiver.heard.length >= 3);
  await ada.post('/v1/exports', {}, { prefer: 'wait=30' });
  const blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: stack.blobDir, S3_REGION: 'us-east-1' });
  const signal = AbortSignal.timeout(30_000);
  const options = { directory: backupDir, slot: new Date(), workDir: blobs.spoolDir, signal };
  await backUp({ db: stack.db, blobs }, options);
  return answer.conversation.id;
}

/** Both erasures wait for a turn whose worker does not answer; that is when those who run them are killed. */
async function eraseWhileProcessesDie(ada: Account, conversation: string): Promise<string[]> {
  const body = chat(`[[hang]] ${marker.running}`, conversation);
  const { id } = await ada.post<JobView>('/v1/chat/completions', body, { prefer: 'respond-async' });
  await waitUntil('it runs', async () => (await stack.db.jobs.find(id))?.status === 'in_progress');
  const worker = stack.app('worker-llm');
  worker.signal('SIGSTOP');
  const erase = async (scope: object) =>
    (await ada.post<ErasureView>('/v1/erasures', { scope }, { prefer: 'respond-async' })).id;
  const first = await erase({ type: 'conversation', id: conversation });
  const { conversations } = stack.db;
  await waitUntil('what was said is gone', async () => (await conversations.messageIds(conversation, 1)).length === 0);
  const erasures = [first, await erase({ type: 'account' })];
  await waitUntil('only the running turn is left', async () => {
    const running = await stack.db.jobs.runningOf({ account: ada.id }, 9);
    const idle = await stack.db.jobs.idleOf({ account: ada.id }, 9);
    const waiting = await Promise.all(erasures.map((erasure) => stack.db.jobs.find(erasure)));
    return running.length === 1 && idle.length === 0 && waiting.every((job) => job?.status === 'in_progress');
  });
  await Promise.all([stack.app('gateway'), stack.app('worker-maintenance')].map((app) => stack.end(app, 'SIGKILL')));
  worker.signal('SIGCONT');
  processes.push(await stack.start('worker-maintenance'), await stack.start('gateway'));
  return erasures;
}

function untilFinished(erasure: string): Promise<ErasureView> {
  const headers = { authorization: `Bearer ${stack.adminKey}` };
  const look = async () => {
    const view = (await (await fetch(`${stack.url}/v1/erasures/${erasure}`, { headers })).json()) as ErasureView;
    return view.status === 'completed' && view;
  };
  return waitUntil('another process has finished it', look, 90_000);
}

/** Where each marker is found: documents, Redis, files and what archives hold, what the processes have said. */
async function search(): Promise<Record<Place, string[]>> {
  const texts: [string, string][] = [
    ['database', await shell.dump()],
    ['redis', await stack.redis.dump()],
    ...processes.map((app): [string, string] => [`log of ${app.name}`, app.log()]),
  ];
  for (const [folder, name] of [
    [stack.blobDir, undefined],
    [backupDir, 'backup'],
  ] as const) {
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const where = name ?? /^[a-z]+/.exec(file.name)?.[0] ?? file.name;
      texts.push([where, file.name]);
      if (file.isFile()) texts.push([where, await contentOf(join(file.parentPath, file.name))]);
    }
  }
  const holding = (place: Place) => [
    ...new Set(texts.filter(([, text]) => text.includes(marker[place])).map(([where]) => where)),
  ];
  return Object.fromEntries(PLACES.map((place) => [place, holding(place)])) as Record<Place, string[]>;
}

async function contentOf(path: string): Promise<string> {
  const content = await readFile(path);
  return (path.endsWith('.zst') ? zstdDecompressSync(content) : content).toString('latin1');
}

async function startReceiver() {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(request.url ?? '');
    request.resume();
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, heard, close: () => void server.close() };
}
