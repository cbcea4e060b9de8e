import { FINAL_STATUSES, ID_PREFIXES, JOB_KINDS } from '@aigolos/contracts';
import type { Change, MessageRecord, Reaction } from '@aigolos/db';
import { cacheScope } from '@aigolos/queue';
import { LRUCache } from 'lru-cache';
import { removeLeftoverFiles } from './consistency/leftover-files.ts';
import { inBatches } from './in-batches.ts';
import { type RemovalDeps, removeAccount, removeConversation, removeDataOfJobs } from './removal.ts';
import { dropExpiredFiles, type RetentionDeps } from './retention.ts';
import { announceJobEnds, announceJobStarts, type WebhookDeps } from './webhooks.ts';

export type ReactionDeps = RetentionDeps & WebhookDeps & Required<Pick<RemovalDeps, 'cache'>>;

/** Whose the newest jobs are: an update names the record alone, and most soon follow the insert. */
const ACCOUNTS_KEPT = 10_000;
const PART_MAKERS = ['speech', 'voice-turn', 'batch'] as const;

/** What the data sets in motion, whoever changed it and by whatever means. All are fine to run twice for the same change. */
export function createReactions(deps: ReactionDeps): Reaction[] {
  const { db, cache } = deps;
  const accounts = new LRUCache<string, string>({ max: ACCOUNTS_KEPT });
  const forgetAnswers = inBatches(async (ids) => {
    // Dropping everybody's lists would cost more than to look up whose jobs they are.
    const owners = await Promise.all(ids.map(async (id) => accounts.get(id) ?? (await db.jobs.accountOf(id))));
    const lists = new Set(owners.flatMap((account) => (account === undefined ? [] : [cacheScope.jobsOf(account)])));
    await cache.invalidate(...ids.map(cacheScope.job), ...lists);
    return new Map();
  });
  const announceEnd = inBatches((ids) => announceJobEnds(deps, ids));
  const announceStart = inBatches((ids) => announceJobStarts(deps, ids));
  const removeData = inBatches((ids) => removeDataOfJobs(deps, ids));
  return [
    ...JOB_KINDS.map(
      (kind): Reaction => ({
        name: `${kind}_created`,
        collection: 'jobs',
        operation: 'insert',
        fields: ['account'],
        when: isOfPrefix(ID_PREFIXES[kind]),
        react({ id, fields }) {
          accounts.set(id, String(fields.account));
          return forgetAnswers(id);
        },
      }),
    ),
    {
      name: 'job_updated',
      collection: 'jobs',
      operation: 'update',
      fields: ['status'],
      react: ({ id }) => forgetAnswers(id),
    },
    {
      name: 'job_started',
      collection: 'jobs',
      operation: 'update',
      fields: ['status'],
      when: ({ fields }) => fields.status === 'in_progress',
      react: ({ id }) => announceStart(id),
    },
    {
      name: 'job_ended',
      collection: 'jobs',
      operation: 'update',
      fields: ['status'],
      when: hasEnded,
      react: ({ id }) => announceEnd(id),
    },
    {
      name: 'job_ended_at_once',
      collection: 'jobs',
      operation: 'insert',
      fields: ['webhooksPending'],
      // One that has the result of an earlier one. What an import brings has ended long ago and tells nobody.
      when: ({ fields }) => fields.webhooksPending === true,
      async react({ id }) {
        await announceEnd(id);
        await dropExpiredFiles(deps, id);
      },
    },
    {
      name: 'file_maker_ended',
      collection: 'jobs',
      operation: 'update',
      fields: ['status'],
      when: (change) => mayHaveParts(change) && hasEnded(change),
      async react({ id }) {
        await removeLeftoverFiles(deps, id);
      },
    },
    {
      name: 'files_due',
      collection: 'jobs',
      operation: 'update',
      fields: ['filesExpireAt'],
      // Such as the audio of a job that was to lose it on success; what is due later is found by its time.
      when: ({ fields: { filesExpireAt } }) => filesExpireAt instanceof Date && filesExpireAt <= new Date(),
      react: ({ id }) => dropExpiredFiles(deps, id),
    },
    ...JOB_KINDS.map(
      (kind): Reaction => ({
        name: `${kind}_deleted`,
        collection: 'jobs',
        operation: 'delete',
        when: isOfPrefix(ID_PREFIXES[kind]),
        // A delete names the record alone: blob keys begin with its id, and whose lists it stood in is not known any more.
        react: ({ id }) => removeData(id),
      }),
    ),
    ...(['files', 'uploads'] as const).map(
      (collection): Reaction => ({
        name: `${collection}_deleted`,
        collection,
        operation: 'delete',
        react: ({ id }) => deps.blobs.deleteRecord(id),
      }),
    ),
    {
      name: 'message_created',
      collection: 'messages',
      operation: 'insert',
      fields: ['conversation', 'seq', 'createdAt'],
      async react({ fields }) {
        await db.conversations.noteMessage(fields as unknown as MessageRecord);
        await cache.invalidate(cacheScope.conversation(String(fields.conversation)));
      },
    },
    {
      name: 'conversation_updated',
      collection: 'conversations',
      operation: 'update',
      react: ({ id }) => cache.invalidate(cacheScope.conversation(id)),
    },
    {
      name: 'conversation_deleted',
      collection: 'conversations',
      operation: 'delete',
      react: async ({ id }, signal) => nothingRemains(await removeConversation(deps, id, signal)),
    },
    {
      name: 'account_deleted',
      collection: 'accounts',
      operation: 'delete',
      react: async ({ id }, signal) => nothingRemains(await removeAccount(deps, id, signal)),
    },
  ];
}

/** Of a speech, of the last step of a voice turn, or of the lines of a batch. */
function mayHaveParts(change: Change): boolean {
  return PART_MAKERS.some((kind) => isOfPrefix(ID_PREFIXES[kind])(change));
}

function hasEnded({ fields }: Change): boolean {
  return FINAL_STATUSES.some((status) => status === fields.status);
}

/** The prefix of an id names the kind of record. */
function isOfPrefix(prefix: string): (change: Change) => boolean {
  return ({ id }) => id.startsWith(`${prefix}_`);
}

/** What still runs was asked to stop, and is removed when this is tried again. */
function nothingRemains(remaining: { what: string }[]): void {
  if (remaining.length > 0) throw new Error(`still running: ${remaining.map(({ what }) => what).join(', ')}`);
}
