import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { QUEUE_NAMES } from '@aigolos/contracts';
import { type AppProcess, audioClip, startApp, testConfig, waitUntil } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { APP_NAMES, type Stack, startStack } from './stack.ts';

const PLACES = [
  'system message',
  'prompt',
  'prompt of a stream',
  'prompt that an engine rejects',
  'prompt that an engine fails at',
  'prompt of a cancelled call',
  'prompt that kills its worker',
  'prompt that another server quotes',
  'instructions of a voice turn',
  'prompt of a transcription',
  'name of an audio file',
  'text to be spoken',
  'prompt of a line of a batch',
  'item of a conversation',
  'content of a file',
  'name of a file',
  'metadata',
  'idempotency key',
  'body that is no JSON',
  'body that is not valid',
  'key that is not known',
  'key of another server',
  'path of a receiver',
  'query of a receiver',
  'answer of a receiver',
] as const;
type Place = (typeof PLACES)[number];
const marks = Object.fromEntries(PLACES.map((place) => [place, `mark${randomUUID().replaceAll('-', '')}`])) as Record<
  Place,
  string
>;
/** What a client calls its request is logged: so this is found. */
const CONTROL = `control-${randomUUID()}`;
/** Secrets that the system has made itself. */
const made: Record<string, string> = {};

let stack: Stack;
let receiver: { url: string; calls: () => number; close: () => void };
let upstream: { url: string; calls: () => number; close: () => void };
/** All processes that ever ran: those that ended have said something too. */
const processes: AppProcess[] = [];
/** What Redis held at each of these moments. */
const dumps: string[] = [];
beforeAll(async () => {
  stack = await startStack({ engines: 'test', env: { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' } });
  processes.push(...APP_NAMES.map((name) => stack.app(name)));
  receiver = await startServer((_request, response) => {
    response.writeHead(500).end(marks['answer of a receiver']);
  });
  upstream = await startServer((_request, response) => {
    const message = `I will not answer "${marks['prompt that another server quotes']}"`;
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message } }));
  });
});
afterAll(async () => {
  receiver?.close();
  upstream?.close();
  await stack?.stop();
});

test('secrets and what was said stand in no log, error, metric, queue, page or name of a file', async () => {
  made['key'] = stack.apiKey;
  made["operator's key"] = stack.adminKey;
  const jobs = await plant();
  dumps.push(await settledRedis());

  const texts = await everything(jobs);
  const found = (secret: string) => texts.filter(([, text]) => text.includes(secret)).map(([where]) => where);
  const secrets = Object.entries({ ...marks, ...made });
  expect(Object.fromEntries(secrets.map(([what, secret]) => [what, found(secret)]))).toEqual(
    Object.fromEntries(secrets.map(([what]) => [what, []])),
  );

  // So the search finds what is there: one secret that was put where it is logged, ids of jobs, and what each place is known by.
  expect(found(CONTROL)).toEqual(['log of gateway']);
  const hanging = ['log of gateway', 'redis', 'board', 'error of another account'];
  expect(found(jobs.hanging)).toEqual(expect.arrayContaining(hanging));
  expect(found(jobs.transcription)).toContain('name of a file');
  for (const { name } of processes) expect(found(`"service":"${name}"`)).toContain(`log of ${name}`);
  expect(found('service="gateway"')).toEqual(['metrics of gateway']);
});

async function call(
  path: string,
  init: Omit<RequestInit, 'headers'> & { key?: string; headers?: Record<string, string> } = {},
) {
  const { key = stack.apiKey, headers, ...rest } = init;
  return fetch(`${stack.url}${path}`, { ...rest, headers: { authorization: `Bearer ${key}`, ...headers } });
}

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const json = { 'content-type': 'application/json', prefer: 'respond-async', ...headers };
  const answer = await call(path, { method: 'POST', body: JSON.stringify(body), headers: json });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { id: string; secret: string };
}

async function form(path: string, fields: Record<string, string | File>) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  const answer = await call(path, { method: 'POST', body, headers: { prefer: 'respond-async' } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { id: string };
}

const chat = (place: Place, directive = '[[words 3]]') => ({
  model: 'gpt-4o',
  messages: [
    { role: 'system', content: marks['system message'] },
    { role: 'user', content: `${directive} ${marks[place]}` },
  ],
});

/** Makes calls of every kind, good ones and bad ones, each with a mark in it. @returns ids of some of the jobs. */
async function plant(): Promise<{ hanging: string; transcription: string; all: string[] }> {
  const query = `token=${marks['query of a receiver']}`;
  const url = `${receiver.url}/${marks['path of a receiver']}?${query}`;
  const endpoint = await post('/v1/webhook_endpoints', { url });
  made['secret of an endpoint'] = endpoint.secret;
  made['new secret'] = (await post(`/v1/webhook_endpoints/${endpoint.id}/rotate_secret`, {})).secret;
  made['secret of the account'] = (await post('/v1/account/rotate_webhook_secret', {})).secret;

  const audio = new File([await readFile(audioClip('count'))], `${marks['name of an audio file']}.wav`);
  const hints = { metadata: JSON.stringify({ note: marks.metadata }) };
  const finished = await Promise.all([
    post('/v1/chat/completions', chat('prompt'), { 'idempotency-key': marks['idempotency key'], 'x-webhook-url': url }),
    post('/v1/chat/completions', chat('prompt that an engine rejects', '[[reject]]')),
    post('/v1/chat/completions', chat('prompt that an engine fails at', '[[fail]]')),
    post('/v1/responses', {
      model: 'gpt-4o',
      input: `[[words 2]] ${marks.prompt}`,
      metadata: { note: marks.metadata },
    }),
    post('/v1/audio/speech', { model: 'tts-1', voice: 'alloy', input: marks['text to be spoken'] }),
    form('/v1/audio/transcriptions', { model: 'whisper-1', prompt: marks['prompt of a transcription'], file: audio }),
    form('/v1/voice/turns', { instructions: marks['instructions of a voice turn'], file: audio, ...hints }),
    batch(),
  ]);
  const stream = { ...chat('prompt of a stream'), stream: true };
  const streamed = await call('/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify(stream),
    headers: { 'content-type': 'application/json' },
  });
  expect(await streamed.text()).toContain('[DONE]');
  const { id: conversation } = await post('/v1/conversations', {});
  const item = { type: 'message', role: 'user', content: marks['item of a conversation'] };
  await post(`/v1/conversations/${conversation}/items`, { items: [item] });
  await form('/v1/files', {
    purpose: 'user_data',
    file: new File([marks['content of a file']], marks['name of a file']),
  });
  await refused();
  await Promise.all(finished.map(({ id }) => stack.untilJob(id, ['completed', 'failed'])));
  await waitUntil('the receiver was called', () => receiver.calls() > 2);

  const hanging = (await post('/v1/chat/completions', chat('prompt of a cancelled call', '[[hang]]'))).id;
  await stack.untilJob(hanging, ['in_progress']);
  dumps.push(await settledRedis(), await board());
  await call(`/v1/jobs/${hanging}/cancel`, { method: 'POST' });
  await stack.untilJob(hanging, ['cancelled']);
  const crashing = await crashLoop();
  const quoted = await quotedByAnotherServer();
  const ids = finished.map(({ id }) => id);
  return { hanging, transcription: ids[5] ?? '', all: [...ids, hanging, crashing, quoted, conversation, endpoint.id] };
}

/** What Redis holds once the read cache has forgotten what was polled: summaries of jobs, for a second (docs/adr/0005). */
function settledRedis(): Promise<string> {
  return waitUntil('what was polled is forgotten', async () => {
    const dump = await stack.redis.dump();
    return !dump.includes(':cache:entry:') && dump;
  });
}

async function batch(): Promise<{ id: string }> {
  const line = {
    custom_id: 'one',
    method: 'POST',
    url: '/v1/chat/completions',
    body: chat('prompt of a line of a batch'),
  };
  const file = new File([`${JSON.stringify(line)}\n`], 'lines.jsonl');
  const { id } = await form('/v1/files', { purpose: 'batch', file });
  return post('/v1/batches', { input_file_id: id, endpoint: line.url, completion_window: '24h' });
}

/** Requests that are refused, which are not repeated to anybody but who has sent them. */
async function refused(): Promise<void> {
  const send = (body: string, key = stack.apiKey) =>
    call('/v1/chat/completions', { method: 'POST', body, key, headers: { 'content-type': 'application/json' } });
  expect((await send(`{"a": ${marks['body that is no JSON']}}`)).status).toBe(400);
  expect((await send(JSON.stringify({ ...chat('prompt'), temperature: marks['body that is not valid'] }))).status).toBe(
    400,
  );
  expect((await send('{}', marks['key that is not known'])).status).toBe(401);
  expect((await call('/v1/models', { headers: { 'x-request-id': CONTROL } })).status).toBe(200);
}

/** A job that ends every worker that takes it, until it is given up. */
async function crashLoop(): Promise<string> {
  const { id } = await post('/v1/chat/completions', chat('prompt that kills its worker', '[[crash]]'));
  for (let worker = stack.app('worker-llm'); ; ) {
    const crashed = worker.ended.then(() => 'crashed');
    const failed = stack.untilJob(id, ['failed'], 100_000).then(() => 'failed');
    if ((await Promise.race([crashed, failed])) === 'failed') break;
    await stack.end(worker, 'SIGKILL');
    worker = await stack.start('worker-llm');
    processes.push(worker);
  }
  expect(await stack.job(id)).toMatchObject({ status: 'failed', error: { code: 'ENGINE_CRASHED' } });
  return id;
}

/** A worker of another server's models, which knows a key of that server and is told off in the words of the prompt. */
async function quotedByAnotherServer(): Promise<string> {
  await stack.end(stack.app('worker-llm'), 'SIGTERM');
  const worker = await startApp('worker-llm', {
    PATH: [join(process.execPath, '..'), testConfig.PATH].join(delimiter),
    LOG_LEVEL: 'debug',
    MONGO_URL: stack.mongoUrl,
    REDIS_URL: stack.redis.url,
    LLM_ENGINE: 'openai-compatible',
    LLM_MODEL: 'test-llm',
    LLM_UPSTREAM_MODEL: 'theirs',
    LLM_BASE_URL: `${upstream.url}/v1`,
    LLM_API_KEY: `sk-${marks['key of another server']}`,
  });
  processes.push(worker);
  await worker.ready();
  const { id } = await post('/v1/chat/completions', chat('prompt that another server quotes'));
  const job = await stack.untilJob(id, ['failed']);
  expect(upstream.calls()).toBe(1);
  // Whoever has sent it is told.
  expect(JSON.stringify(job)).toContain(marks['prompt that another server quotes']);
  await worker.end('SIGTERM');
  return id;
}

/** Every text that somebody other than its owner may come to see, with where it stands. */
async function everything({ all }: { all: string[] }): Promise<[where: string, text: string][]> {
  const texts: [string, string][] = processes.map((app) => [`log of ${app.name}`, app.log()]);
  const [first = '', pages = '', last = ''] = dumps;
  texts.push(['redis', first + last], ['board', pages + (await board())]);
  for (const name of ['gateway', 'worker-asr', 'worker-tts', 'worker-maintenance', 'worker-webhooks'] as const) {
    texts.push([`metrics of ${name}`, await (await fetch(`${stack.app(name).url}/metrics`)).text()]);
    texts.push([`readiness of ${name}`, await (await fetch(`${stack.app(name).url}/readyz`)).text()]);
  }
  const { _id: account } = await stack.db.access.ensureAccount('stranger');
  const { key } = await stack.db.access.createKey({ account, role: 'user', label: 'stranger' });
  const paths = all.flatMap((id) => [
    `/v1/jobs/${id}`,
    `/v1/jobs/${id}/result`,
    `/v1/jobs/${id}/events`,
    `/v1/chat/completions/${id}`,
    `/v1/responses/${id}`,
    `/v1/batches/${id}`,
    `/v1/conversations/${id}`,
    `/v1/conversations/${id}/items`,
    `/v1/webhook_endpoints/${id}`,
  ]);
  for (const path of [
    '/v1/jobs',
    '/v1/files',
    '/v1/batches',
    '/v1/webhook_endpoints',
    '/v1/webhook_deliveries',
    ...paths,
  ]) {
    texts.push(['error of another account', await (await call(path, { key })).text()]);
  }
  const names = [
    ...(await readdir(stack.blobDir, { recursive: true })),
    ...(await readdir(tmpdir())).filter((name) => name.includes('aigolos')),
  ];
  texts.push(['name of a file', names.join('\n')]);
  return texts;
}

/** All that the queues' board has to show. */
async function board(): Promise<string> {
  const paths = QUEUE_NAMES.map((name) => `/admin/queues/api/queues?activeQueue=${name}&page=1&jobsPerPage=100`);
  const pages = await Promise.all(paths.map(async (path) => (await call(path, { key: stack.adminKey })).text()));
  return pages.join('\n');
}

async function startServer(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  let calls = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      calls += 1;
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, calls: () => calls, close: () => void server.close() };
}
