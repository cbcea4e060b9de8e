import { Readable } from 'node:stream';
import type { BlobStore } from '@aigolos/blob-store';
import { type JobKind, newId } from '@aigolos/contracts';
import { type Database, type JobRecord, newJobRecord } from '@aigolos/db';
import { CHAT } from '../answers.ts';

export interface Owner {
  db: Database;
  blobs: BlobStore;
  account: string;
}

/** Each makes a thing of an account's, and answers its id; those that lie in another one get its id. */
export const BELONGINGS = {
  chat: (owner: Owner) => insertJob(owner, 'chat', { task: { ...CHAT_TASK, store: true }, ...ANSWERED }),
  response: (owner: Owner) =>
    insertJob(owner, 'response', { task: { ...CHAT_TASK, background: false, store: true }, ...ANSWERED }),
  message: async (_: Owner, chat: string) => `${chat}-0`,
  inputItem: async (_: Owner, response: string) => `msg_${response}_0`,
  batch: (owner: Owner) => insertJob(owner, 'batch', { task: BATCH_TASK }),
  voiceTurn: (owner: Owner) => insertJob(owner, 'voice-turn', { task: VOICE_TURN_TASK }),
  export: (owner: Owner) => insertJob(owner, 'export', { task: {} }),
  erasure: (owner: Owner) => insertJob(owner, 'erasure', { task: { scope: { type: 'job', id: 'cht_1' } } }),
  conversation: async ({ db, account }: Owner) =>
    (await db.conversations.begin(account, { retentionSeconds: null, metadata: {} }))._id,
  async item({ db, account }: Owner, conversation: string) {
    const [item] = await db.conversations.appendItems({ _id: conversation, account }, [
      { role: 'user', content: 'hi' },
    ]);
    return item?._id ?? '';
  },
  file: (owner: Owner) => insertFile(owner, 'user_data'),
  batchFile: (owner: Owner) => insertFile(owner, 'batch'),
  async upload({ db, account }: Owner) {
    const [id, createdAt] = [newId('upload'), new Date()];
    const expiresAt = new Date(createdAt.getTime() + 60_000);
    const upload = { _id: id, account, filename: 'f', purpose: 'user_data', status: 'pending' } as const;
    await db.uploads.insert({ ...upload, bytes: CONTENT.length, parts: [], receivedBytes: 0, createdAt, expiresAt });
    return id;
  },
  async part({ db, blobs, account }: Owner, upload: string) {
    const id = newId('uploadPart');
    const blobKey = `${upload}/${id}`;
    await blobs.commit(await blobs.receive(Readable.from([CONTENT]), { maxBytes: 99 }), blobKey);
    const most = { parts: 9, bytes: 999 };
    await db.uploads.addPart(account, upload, { part: { id, blobKey, bytes: CONTENT.length }, most });
    return id;
  },
  async endpoint({ db, account }: Owner) {
    const [id, now] = [newId('webhookEndpoint'), new Date()];
    const endpoint = { _id: id, account, url: URL, events: ['job.completed'], description: '' } as const;
    const state = {
      status: 'active',
      secrets: { current: 'whsec_MDEyMzQ1Njc4OWFiY2RlZg==' },
      failuresInRow: 0,
    } as const;
    await db.webhooks.insertEndpoint({
      ...endpoint,
      ...state,
      events: ['job.completed'],
      createdAt: now,
      updatedAt: now,
    });
    return id;
  },
  delivery: async (owner: Owner, endpoint: string) => (await insertDelivery(owner, endpoint)).id,
  deliveredJob: async (owner: Owner, endpoint: string) => (await insertDelivery(owner, endpoint)).job,
  apiKey: async ({ db, account }: Owner) =>
    (await db.access.createKey({ account, role: 'user', label: 'test' })).record._id,
  account: async ({ account }: Owner) => account,
  async meteredKey(owner: Owner) {
    const id = await BELONGINGS.apiKey(owner);
    await recordUsage(owner, id);
    return id;
  },
  async meteredAccount(owner: Owner) {
    await recordUsage(owner);
    return owner.account;
  },
};
export type Belonging = keyof typeof BELONGINGS;

/** When what is metered was used, Unix seconds. */
export const USED_AT = 1_750_000_000;

/** In which other thing a thing lies, and under which parameter that other one is named beside it. */
export const LIES_IN: Partial<Record<Belonging, Belonging>> = {
  message: 'chat',
  inputItem: 'response',
  item: 'conversation',
  part: 'upload',
  delivery: 'endpoint',
  deliveredJob: 'endpoint',
};

/** An id of the same form that nobody has. */
export function missingId(id: string): string {
  return id.replace(/[0-9a-f]{32}/, crypto.randomUUID().replaceAll('-', ''));
}

const URL = 'https://example.com/hooks';
const CONTENT = 'content';
const CHAT_TASK = {
  model: 'test-llm',
  messages: [{ role: 'user' as const, content: CHAT.messages[0]?.content ?? '' }],
  stop: [],
};
const ANSWERED = {
  status: 'completed',
  result: { text: 'hello', finishReason: 'stop' },
  usage: { promptTokens: 1, completionTokens: 1 },
  startedAt: new Date(),
  finishedAt: new Date(),
} as const;
const BATCH_TASK = {
  endpoint: '/v1/chat/completions',
  inputFile: 'file_1',
  completionWindow: '24h',
  windowEndsAt: Date.now() + 24 * 60 * 60 * 1_000,
};
const VOICE_TURN_TASK = {
  model: 'test-llm',
  transcription: { model: 'test-asr' },
  speech: { model: 'test-tts', voice: 'joe', format: 'mp3', speed: 1 },
  audio: { blobKey: 'vtn_1/input', bytes: 1, sha256: 'ab'.repeat(32) },
} as const;

async function insertJob<Kind extends JobKind>(
  { db, account }: Owner,
  kind: Kind,
  fields: Pick<JobRecord<Kind>, 'task'> & Partial<JobRecord<Kind>>,
): Promise<string> {
  const id = newId(kind);
  await db.jobs.insert(newJobRecord<Kind>({ _id: id, kind, account, ...fields }));
  return id;
}

async function recordUsage({ db, account }: Owner, apiKey?: string): Promise<void> {
  const amounts = { requests: 1, audioSeconds: 1, characters: 1, inputTokens: 1, outputTokens: 1, computeMs: 1 };
  const used = {
    account,
    ...(apiKey !== undefined && { apiKey }),
    model: 'test',
    batch: false,
    at: USED_AT,
    ...amounts,
  };
  await db.usage.record([
    { _id: newId('chat'), kind: 'chat', service: 'completions', ...used },
    { _id: newId('speech'), kind: 'speech', service: 'audio_speeches', ...used },
    { _id: newId('transcription'), kind: 'transcription', service: 'audio_transcriptions', ...used },
  ]);
}

async function insertDelivery({ db, account }: Owner, endpoint: string): Promise<{ id: string; job: string }> {
  const [id, job, now] = [newId('webhookDelivery'), newId('chat'), new Date()];
  await db.webhooks.insertDeliveries([
    {
      _id: id,
      account,
      event: newId('webhookEvent'),
      type: 'job.completed',
      job,
      endpoint,
      url: URL,
      order: 0,
      body: '{}',
      status: 'delivered',
      attempts: [],
      nextAttemptAt: now,
      fence: 0,
      createdAt: now,
      expiresAt: new Date(now.getTime() + 60_000),
    },
  ]);
  return { id, job };
}

async function insertFile({ db, blobs, account }: Owner, purpose: 'user_data' | 'batch'): Promise<string> {
  const id = newId('file');
  const blobKey = `${id}/content`;
  const { bytes, sha256, ...spooled } = await blobs.receive(Readable.from([CONTENT]), { maxBytes: 99 });
  await blobs.commit({ bytes, sha256, ...spooled }, blobKey);
  const file = { _id: id, account, purpose, filename: 'f', blobKey, bytes, sha256, createdAt: new Date() };
  await db.files.insert(file);
  return id;
}
