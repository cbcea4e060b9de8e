import type { Database } from '@aigolos/db';
import { removeAccount, removeConversation } from '../removal.ts';
import { type ConsistencyCheck, missingOf } from './check.ts';

/** The safety net under the reactions to the deletion of a job or a file, and under a worker that still wrote for a job that was gone. */
export const orphanBlobs: ConsistencyCheck = {
  kind: 'orphan_blobs',
  isAutomatic: true,
  async *find({ db, blobs }, signal) {
    for await (const id of missingOf(blobs.recordIds(), (ids) => recordsOf(db, ids), signal)) {
      yield { id, detail: `there are files of ${id}, but no such record` };
    }
  },
  async repair({ db, blobs }, id) {
    if ((await recordsOf(db, [id])).has(id)) return false;
    await blobs.deleteRecord(id);
    return true;
  },
};

/** Those of these ids whose record is there, of all kinds that have blobs. */
async function recordsOf(
  { jobs, files, uploads }: Pick<Database, 'jobs' | 'files' | 'uploads'>,
  ids: string[],
): Promise<Set<string>> {
  const found = await Promise.all([jobs.existing(ids), files.existing(ids), uploads.existing(ids)]);
  return new Set(found.flatMap((some) => [...some]));
}

/** What came by a key of an account that was erased in that moment; the net under the reaction to an account's deletion. */
export const recordsWithoutAccount: ConsistencyCheck = {
  kind: 'record_without_account',
  isAutomatic: true,
  async *find({ db: { consistency } }, signal) {
    // Where all accounts are gone somebody has made a mistake that must not be made complete.
    if (!(await consistency.hasAccounts())) return;
    for await (const id of missingOf(consistency.namedAccounts(), consistency.existingAccounts, signal)) {
      yield { id, detail: `there are records of account ${id}, but no such account` };
    }
  },
  async repair(deps, id, signal) {
    const { consistency } = deps.db;
    if ((await consistency.existingAccounts([id])).has(id) || !(await consistency.hasAccounts())) return false;
    return (await removeAccount(deps, id, signal)).length === 0;
  },
};

/** The net under the reaction to a conversation's deletion: its messages, and the jobs of its turns. */
export const messagesWithoutConversation: ConsistencyCheck = {
  kind: 'message_without_conversation',
  isAutomatic: true,
  async *find({ db: { consistency } }, signal) {
    const ids = missingOf(consistency.namedConversations(), consistency.existingConversations, signal);
    for await (const id of ids) {
      yield { id, detail: `there are messages or turns of conversation ${id}, but no such conversation` };
    }
  },
  async repair(deps, id, signal) {
    if (await deps.db.conversations.exists(id)) return false;
    return (await removeConversation(deps, id, signal)).length === 0;
  },
};
