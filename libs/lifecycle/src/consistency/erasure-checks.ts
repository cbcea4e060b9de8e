import { ID_PREFIXES } from '@aigolos/contracts';
import { batchesOf } from '../batches.ts';
import { removeFile } from '../file-removal.ts';
import { removeAccount, removeConversation, removeJob } from '../removal.ts';
import type { ConsistencyCheck, ConsistencyDeps } from './check.ts';

const LATE_AFTER_MS = 60 * 60_000;

/** An erasure is tried for ever; one that takes long waits for something that somebody should look at. */
export const unfinishedErasures: ConsistencyCheck = {
  kind: 'erasure_unfinished',
  isAutomatic: false,
  async *find({ db }) {
    for (const { _id: id, createdAt, attempt } of await db.consistency.openErasures(
      new Date(Date.now() - LATE_AFTER_MS),
    )) {
      const [waiting] = await db.erasures.postponed(id, 1);
      const reason = waiting ? `${waiting.item}: ${waiting.reason}` : 'nothing is known to be in its way';
      yield {
        id,
        detail: `erasure ${id} of ${createdAt.toISOString()} has not ended after ${attempt} attempts: ${reason}`,
      };
    }
  },
  repair: async () => false,
};

const LOOKED_UP_AT_ONCE = 500;

/** What a receipt says is gone and is there again, as after a database was put back to an earlier state. */
export const erasedRecords: ConsistencyCheck = {
  kind: 'erased_record_present',
  isAutomatic: false,
  async *find({ db }, signal) {
    for await (const items of batchesOf(db.erasures.finished(), LOOKED_UP_AT_ONCE)) {
      signal.throwIfAborted();
      const present = await presentOf(
        db,
        items.map(({ item }) => item),
      );
      for (const { erasure, kind, item } of items) {
        if (present.has(item)) yield { id: item, detail: `${kind} ${item} is there again after erasure ${erasure}` };
      }
    }
  },
  async repair(deps, id, signal) {
    const { db } = deps;
    if (!(await presentOf(db, [id])).has(id)) return false;
    const account = await db.jobs.accountOf(id);
    if (account !== undefined) return (await removeJob(deps, account, id)).length === 0;
    if (isOf('conversation', id)) return (await removeConversation(deps, id, signal)).length === 0;
    if (isOf('account', id)) return (await removeAccount(deps, id, signal)).length === 0;
    if (isOf('file', id)) return removeFile(deps, { _id: id });
    return (await db.conversations.deleteMessages([id])) === 1;
  },
};

async function presentOf({ jobs, files, consistency }: ConsistencyDeps['db'], ids: string[]): Promise<Set<string>> {
  const found = await Promise.all([
    consistency.existingAccounts(ids.filter((id) => isOf('account', id))),
    consistency.existingConversations(ids.filter((id) => isOf('conversation', id))),
    consistency.existingMessages(ids.filter((id) => isOf('message', id))),
    jobs.existing(ids),
    files.existing(ids.filter((id) => isOf('file', id))),
  ]);
  return new Set(found.flatMap((some) => [...some]));
}

function isOf(kind: 'account' | 'conversation' | 'file' | 'message', id: string): boolean {
  return id.startsWith(`${ID_PREFIXES[kind]}_`);
}
