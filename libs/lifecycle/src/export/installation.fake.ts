import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type BlobStore, type BlobStoreConfig, openBlobStore } from '@aigolos/blob-store';
import { type JobKind, newId, type TaskOf, type TranscriptKind } from '@aigolos/contracts';
import { type Database, type JobRecord, newJobRecord, openDatabase } from '@aigolos/db';
import type { TestMongo } from '@aigolos/testing';

/** A database and a blob store with nothing in them. */
export interface TestInstallation {
  db: Database;
  blobs: BlobStore;
  /** Everything that is stored, to be compared: records, and the keys and sizes of files. */
  contents(): Promise<{ accounts: unknown[]; all: unknown[]; files: unknown[] }>;
  close(): Promise<void>;
}

export async function openInstallation(
  mongo: TestMongo,
  store: Partial<BlobStoreConfig> = {},
): Promise<TestInstallation> {
  const dir = await temporaryDir();
  const db = await openDatabase(mongo.newDatabaseUrl());
  await db.prepare();
  const blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: dir, S3_REGION: 'us-east-1', ...store });
  return {
    db,
    blobs,
    async contents() {
      const { transfer } = db;
      const accounts = await Array.fromAsync(transfer.accounts());
      const all = accounts.map(async ({ _id }) => {
        const conversations = await Array.fromAsync(transfer.conversationsOf(_id));
        const messages = conversations.map((one) => Array.fromAsync(transfer.messagesOf(one._id)));
        const endpoints = await Array.fromAsync(transfer.webhookEndpointsOf(_id));
        const uploads = await Array.fromAsync(transfer.filesOf(_id));
        return [
          endpoints,
          uploads,
          await Array.fromAsync(transfer.jobsOf(_id)),
          conversations,
          await Promise.all(messages),
        ];
      });
      const files = [];
      for await (const id of blobs.recordIds()) files.push(...(await Array.fromAsync(blobs.list(id))));
      return { accounts, all: await Promise.all(all), files: files.toSorted((a, b) => (a.key < b.key ? -1 : 1)) };
    },
    async close() {
      await db.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export function temporaryDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'aigolos-transfer-'));
}

export interface Populated {
  account: string;
  username: string;
  conversation: string;
  endpoint: string;
  jobs: { transcription: string; speech: string; chat: string };
}

/** An account that has used everything: transcriptions with their audio, spoken texts, conversations, a job that runs. */
export async function populate({ db, blobs }: TestInstallation, username: string, times = 1): Promise<Populated> {
  const { _id: account } = await db.access.ensureAccount(username);
  await db.access.createKey({ account, role: 'user', label: `secret label of ${username}` });
  const endpoint = newId('webhookEndpoint');
  await db.webhooks.insertEndpoint({
    _id: endpoint,
    account,
    url: 'https://example.com/hook',
    events: ['job.completed'],
    description: '',
    status: 'active',
    secrets: { current: `whsec_of ${username}` },
    failuresInRow: 0,
    createdAt: new Date(),
    updatedAt: new Date(),
  });
  let populated: Populated | undefined;
  for (let time = 0; time < times; time += 1) {
    const kind = time % 2 === 0 ? 'translation' : 'transcription';
    const transcription = await transcribed({ db, blobs }, { account, kind, sound: `sound ${time} of ${username}` });
    const speech = await spoken({ db, blobs }, account, `voice ${time} of ${username}`);
    const conversation = (await db.conversations.create(account))._id;
    let chat = '';
    for (const said of ['hello', 'Что нового? 🎙', '“quoted”\nand more'])
      chat = await chatted(db, account, conversation, said);
    await responded(db, account);
    populated = { account, username, conversation, endpoint, jobs: { transcription, speech, chat } };
  }
  await db.jobs.insert(job({ kind: 'chat', account, status: 'in_progress', task: chatTask('still going') }));
  return populated as Populated;
}

export async function storeBlob(blobs: BlobStore, key: string, content: string | Buffer): Promise<number> {
  const file = await blobs.receive(Readable.from([Buffer.from(content)]), { maxBytes: Number.POSITIVE_INFINITY });
  await blobs.commit(file, key);
  return file.bytes;
}

async function transcribed(
  deps: Pick<TestInstallation, 'db' | 'blobs'>,
  { account, kind, sound }: { account: string; kind: TranscriptKind; sound: string },
): Promise<string> {
  const id = newId(kind);
  const bytes = await storeBlob(deps.blobs, `${id}/input`, sound.repeat(500));
  const segment = { id: 0, seek: 0, start: 0, end: 1.25, text: sound, tokens: [1, 2], temperature: 0 };
  const scores = { avg_logprob: -0.25, compression_ratio: 1.5, no_speech_prob: 0.01 };
  await deps.db.jobs.insert(
    job({
      _id: id,
      kind,
      account,
      task: {
        model: 'test',
        responseFormat: 'verbose_json',
        wordTimestamps: true,
        audio: { blobKey: `${id}/input`, bytes, sha256: createHash('sha256').update(sound).digest('hex') },
      },
      result: {
        text: sound,
        language: 'en',
        durationSeconds: 1.25,
        segments: [{ ...segment, ...scores }],
        words: [{ word: sound, start: 0, end: 1.25 }],
      },
      usage: { audioSeconds: 1.25, computeMs: 12 },
      metadata: { z: 'last', a: 'first' },
      warnings: ['ignored: x'],
    }),
  );
  return id;
}

/** An uploaded file with its bytes. */
export async function uploaded(
  { db, blobs }: Pick<TestInstallation, 'db' | 'blobs'>,
  account: string,
  content: string,
): Promise<void> {
  const id = newId('file');
  const blobKey = `${id}/content`;
  const bytes = await storeBlob(blobs, blobKey, content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const what = { account, purpose: 'user_data', filename: 'заметки.txt', createdAt: new Date() } as const;
  await db.files.insert({ _id: id, ...what, blobKey, bytes, sha256 });
}

async function spoken(deps: Pick<TestInstallation, 'db' | 'blobs'>, account: string, text: string): Promise<string> {
  const id = newId('speech');
  const blobKey = `${id}/output-1.mp3`;
  const bytes = await storeBlob(deps.blobs, blobKey, text.repeat(300));
  await deps.db.jobs.insert(
    job({
      _id: id,
      kind: 'speech',
      account,
      task: { model: 'test', voice: 'joe', input: text, format: 'mp3', speed: 1 },
      result: { blobKey, contentType: 'audio/mpeg', bytes, durationSeconds: 2 },
    }),
  );
  return id;
}

/** A voice turn without a conversation, with both of its sounds. */
export async function turnedVoice({ db, blobs }: TestInstallation, { account }: Populated): Promise<string> {
  const id = newId('voice-turn');
  const bytes = await storeBlob(blobs, `${id}/input`, 'what was said');
  const blobKey = `${id}/output-3.wav`;
  const speech = { blobKey, contentType: 'audio/wav', bytes: await storeBlob(blobs, blobKey, 'the answer') };
  await db.jobs.insert(
    job({
      _id: id,
      kind: 'voice-turn',
      account,
      step: 'speak',
      task: {
        model: 'test',
        transcription: { model: 'test' },
        speech: { model: 'test', voice: 'joe', format: 'wav', speed: 1 },
        audio: { blobKey: `${id}/input`, bytes, sha256: '00' },
      },
      result: {
        transcript: { text: 'hello', language: 'en', durationSeconds: 1 },
        answer: { text: 'hi', finishReason: 'stop' },
        speech: { ...speech, durationSeconds: 1 },
      },
    }),
  );
  return id;
}

/** A batch of one chat, and the file that it made. */
export async function batched({ db, blobs }: TestInstallation, { account }: Populated): Promise<string> {
  const id = newId('batch');
  const outputFile = id.replace('batch_', 'file_');
  const blobKey = `${outputFile}/content-1`;
  const bytes = await storeBlob(blobs, blobKey, '{"custom_id":"one"}');
  const file = { _id: outputFile, account, purpose: 'batch_output', filename: 'out.jsonl', blobKey, bytes } as const;
  await db.files.putMade({ ...file, sha256: '0'.repeat(64), createdAt: new Date(), madeBy: { job: id, fence: 1 } });
  await db.jobs.insert(
    job({
      _id: id,
      kind: 'batch',
      account,
      task: { endpoint: '/v1/chat/completions', inputFile: newId('file'), completionWindow: '24h', windowEndsAt: 1 },
      result: { counts: { total: 1, completed: 1, failed: 0 }, outputFile, usage: { promptTokens: 1 }, problems: [] },
    }),
  );
  await db.jobs.insert(job({ kind: 'chat', account, task: chatTask('a line'), batch: id }));
  return id;
}

async function chatted(db: Database, account: string, conversation: string, content: string): Promise<string> {
  const taken = await db.conversations.takeTurn(account, conversation, { otherwise: null });
  const record = job({
    kind: 'chat',
    account,
    conversation,
    turn: taken?.turn ?? 0,
    task: { ...chatTask(content), conversation },
    result: { text: `answer to ${content}`, finishReason: 'stop' },
  });
  await db.jobs.insert(record);
  const at = record.finishedAt ?? new Date();
  const messages = [
    { role: 'user' as const, content },
    { role: 'assistant' as const, content: `answer to ${content}` },
  ];
  await db.conversations.appendTurn({ conversation, account, job: record._id, messages, at });
  const last = (await db.conversations.lastMessages(conversation, 1))[0];
  if (last) await db.conversations.noteMessage(last);
  return record._id;
}

/** One that calls a function whose schema has names that are none of a database's fields. */
async function responded(db: Database, account: string): Promise<void> {
  const parameters = JSON.stringify({ $ref: '#/$defs/a.b', $defs: { 'a.b': { type: 'object' } } });
  const toolCalls = [{ id: 'call_1', name: 'look', arguments: '{}' }];
  await db.jobs.insert(
    job({
      kind: 'response',
      account,
      task: { ...chatTask('look'), background: false, tools: [{ name: 'look', parameters }], toolChoice: 'auto' },
      result: { text: '', finishReason: 'tool_calls', toolCalls },
    }),
  );
}

function chatTask(content: string): TaskOf['chat'] {
  return { model: 'test', messages: [{ role: 'user', content }], stop: [] };
}

/** A job that has ended, unless its status says otherwise. */
function job<Kind extends JobKind>(
  fields: Pick<JobRecord<Kind>, 'kind' | 'account' | 'task'> & Partial<JobRecord<Kind>>,
): JobRecord<Kind> {
  const now = new Date();
  const ended = { status: 'completed', progress: 1, fence: 1, attempt: 1, startedAt: now, finishedAt: now } as const;
  return newJobRecord({ _id: newId(fields.kind), ...ended, ...fields });
}
