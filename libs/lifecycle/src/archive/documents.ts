import {
  ATTEMPT_OUTCOMES,
  ChatRoleSchema,
  FINAL_STATUSES,
  FileNameSchema,
  ID_PREFIXES,
  type IdPrefix,
  JOB_CATALOGUE,
  JobEventTypeSchema,
  type JobKind,
  JobPrioritySchema,
  JobStepSchema,
  JobUsageSchema,
  RetentionPolicySchema,
  STORED_FILE_PURPOSES,
  ToolCallSchema,
  type TranscriptKind,
} from '@aigolos/contracts';
import type {
  AccountRecord,
  ConversationRecord,
  FileRecord,
  JobRecord,
  MessageRecord,
  WebhookEndpointRecord,
} from '@aigolos/db';
import { z } from 'zod';

/**
 * Kinds of documents in an archive, each a file of its own, in the order in which they stand in it: what others belong to
 * comes first.
 */
export const DOCUMENT_KINDS = [
  'account',
  'webhook-endpoints',
  'conversations',
  'messages',
  'chats',
  'responses',
  'syntheses',
  'transcriptions',
  'voice-turns',
  'batches',
  'files',
] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

/** Kinds that archives of an earlier schema version do not have. */
export const KIND_SINCE: { readonly [Kind in DocumentKind]?: number } = {
  responses: 2,
  'voice-turns': 2,
  files: 2,
  batches: 3,
};

/** Exports and erasures are work on the data and no part of them. */
export const DOCUMENTS_OF_JOBS = {
  transcription: 'transcriptions',
  // The same record, but for its kind.
  translation: 'transcriptions',
  speech: 'syntheses',
  chat: 'chats',
  response: 'responses',
  'voice-turn': 'voice-turns',
  batch: 'batches',
  export: undefined,
  erasure: undefined,
} as const satisfies Record<JobKind, DocumentKind | undefined>;

/** A record as it stands in an archive: its `_id` is `id`, dates are ISO 8601 in UTC. */
export type Document = { id: string; account?: string } & Record<string, unknown>;

export interface RecordOfDocument {
  account: AccountRecord;
  'webhook-endpoints': Omit<WebhookEndpointRecord, InUse>;
  chats: JobRecord<'chat'>;
  responses: JobRecord<'response'>;
  conversations: ConversationRecord;
  messages: MessageRecord;
  syntheses: JobRecord<'speech'>;
  transcriptions: JobRecord<TranscriptKind>;
  'voice-turns': JobRecord<'voice-turn'>;
  batches: JobRecord<'batch'>;
  files: FileRecord;
}

const date = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (value) => value.toISOString(),
});
const count = z.number().int().min(0);
/** The id becomes part of the names of files: nothing else than what we make is taken. */
const id = (prefix: IdPrefix) => z.string().regex(new RegExp(`^${prefix}_[0-9a-z]{1,64}$`));
const anyId = z.string().regex(/^[a-z]{2,8}_[0-9a-z]{1,64}$/);
const accountId = id(ID_PREFIXES.account);
const conversationId = id(ID_PREFIXES.conversation);

type Fields<Stored, Left extends keyof Stored = never> = Record<'id' | Exclude<keyof Stored, Left | '_id'>, z.ZodType>;

/** What an account may do is for the operator to say of whoever keeps it. */
type OfOperator = 'role' | 'disabledAt' | 'limits';

const ACCOUNT = {
  id: accountId,
  username: z.string().min(1),
  createdAt: date,
  retention: RetentionPolicySchema.partial().strict().optional(),
} satisfies Fields<AccountRecord, OfOperator | 'webhookSecrets' | 'erasingAt'>;

/** Secrets stay where they are, and with them whether an endpoint is in use. */
type InUse = 'secrets' | 'status' | 'statusReason' | 'failuresInRow' | 'failingSince' | 'updatedAt';

const WEBHOOK_ENDPOINT = {
  id: id(ID_PREFIXES.webhookEndpoint),
  account: accountId,
  url: z.url(),
  events: z.array(JobEventTypeSchema),
  description: z.string(),
  createdAt: date,
} satisfies Fields<WebhookEndpointRecord, InUse>;

const CONVERSATION = {
  id: conversationId,
  account: accountId,
  nextTurn: count,
  messageCount: count,
  metadata: z.record(z.string(), z.string()).optional(),
  createdAt: date,
  updatedAt: date,
  retentionSeconds: count.nullable().optional(),
  expiresAt: date.optional(),
} satisfies Fields<ConversationRecord, 'turnTakenAt' | 'erasing'>;

const MESSAGE = {
  id: z.string().regex(/^msg_[0-9a-z_]{1,80}$/),
  conversation: conversationId,
  account: accountId,
  seq: count,
  role: ChatRoleSchema,
  content: z.string(),
  toolCalls: z.array(ToolCallSchema).optional(),
  toolCallId: z.string().optional(),
  job: anyId.optional(),
  createdAt: date,
  deletedAt: date.optional(),
} satisfies Fields<MessageRecord>;

const FILE = {
  id: id(ID_PREFIXES.file),
  account: accountId,
  purpose: z.enum(STORED_FILE_PURPOSES),
  filename: FileNameSchema,
  blobKey: z.string().regex(/^file_[0-9a-z]{1,64}\/[\w-]{1,64}$/),
  bytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: date,
  expiresAt: date.optional(),
  madeBy: z.strictObject({ job: id(ID_PREFIXES.batch), fence: count }).optional(),
} satisfies Fields<FileRecord>;

/** What a job has only while it waits or runs, or to be sent back after it failed, is left out, and whom its end was told to. */
type Passing =
  | 'checkpoint'
  | 'leaseUntil'
  | 'worker'
  | 'messagesPending'
  | 'webhookUrl'
  | 'webhooksPending'
  | 'deadlineAt'
  | 'idempotencyKey'
  | 'requestFingerprint'
  | 'idempotencyKeyUntil'
  | 'contentKey'
  | 'removing'
  | 'apiKey'
  | 'reservation'
  | 'usagePending';

const ATTEMPT = z.strictObject({
  fence: count,
  worker: z.string(),
  startedAt: date,
  endedAt: date.optional(),
  outcome: z.enum(ATTEMPT_OUTCOMES).optional(),
  error: z.string().optional(),
});

const jobFields = <Kind extends TranscriptKind | 'speech' | 'chat' | 'response' | 'voice-turn' | 'batch'>(
  kind: Kind,
  ...others: Kind[]
) =>
  ({
    id: z.union([id(ID_PREFIXES[kind]), ...others.map((other) => id(ID_PREFIXES[other]))]),
    kind: z.literal([kind, ...others]),
    account: accountId,
    status: z.enum(FINAL_STATUSES),
    task: JOB_CATALOGUE[kind].task,
    result: JOB_CATALOGUE[kind].result.optional(),
    usage: JobUsageSchema.optional(),
    failure: z.object({ code: z.string(), message: z.string(), param: z.string().optional() }).optional(),
    warnings: z.array(z.string()),
    metadata: z.record(z.string(), z.string()),
    step: JobStepSchema.optional(),
    progress: z.number().min(0).max(1),
    fence: count,
    attempt: count,
    crashes: count,
    retries: count.optional(),
    attempts: z.array(ATTEMPT).optional(),
    priority: JobPrioritySchema.optional(),
    startBy: date.optional(),
    finishBy: date.optional(),
    batch: id(ID_PREFIXES.batch).optional(),
    reusedFrom: anyId.optional(),
    cancelRequestedAt: date.optional(),
    conversation: conversationId.optional(),
    turn: count.optional(),
    createdAt: date,
    queuedAt: date,
    startedAt: date.optional(),
    finishedAt: date.optional(),
    retention: RetentionPolicySchema.optional(),
    expiresAt: date.optional(),
    inputExpiresAt: date.optional(),
    outputExpiresAt: date.optional(),
    filesExpireAt: date.optional(),
    inputDeletedAt: date.optional(),
    outputDeletedAt: date.optional(),
  }) satisfies Fields<JobRecord, Passing & keyof JobRecord>;

/** A field that a record gains does not compile until it is listed here, or left out by name. */
const SCHEMAS = {
  account: z.strictObject(ACCOUNT),
  'webhook-endpoints': z.strictObject(WEBHOOK_ENDPOINT),
  chats: z.strictObject(jobFields('chat')),
  responses: z.strictObject(jobFields('response')),
  conversations: z.strictObject(CONVERSATION),
  messages: z.strictObject(MESSAGE),
  syntheses: z.strictObject(jobFields('speech')),
  transcriptions: z.strictObject(jobFields('transcription', 'translation')),
  'voice-turns': z.strictObject(jobFields('voice-turn')),
  batches: z.strictObject(jobFields('batch')),
  // Its bytes are nobody else's.
  files: z
    .strictObject(FILE)
    .refine(({ id, blobKey }) => blobKey.startsWith(`${id}/`), 'blobKey is that of another record'),
} satisfies Record<DocumentKind, z.ZodObject>;

/**
 * A record as a document: fields in the schema's order, so that equal records make equal documents.
 * @throws ZodError where a record is not what the schema says.
 */
export function toDocument<Kind extends DocumentKind>(kind: Kind, record: RecordOfDocument[Kind]): Document {
  const schema = SCHEMAS[kind];
  const { _id, ...fields } = record;
  const known = Object.entries({ id: _id, ...fields }).filter(([name]) => Object.hasOwn(schema.shape, name));
  return z.encode(schema, Object.fromEntries(known)) as Document;
}

/** The record that a document says. @throws ZodError where it is no such document. */
export function toRecord<Kind extends DocumentKind>(kind: Kind, document: unknown): RecordOfDocument[Kind] {
  const { id: _id, ...fields } = z.decode(SCHEMAS[kind], document) as Document;
  return { _id, ...fields } as unknown as RecordOfDocument[Kind];
}
