import type { Database, WebhookDeliveryRecord } from '@aigolos/db';
import { archivesOfUser } from './backup/archives-of-user.ts';
import type { ErasureDeps } from './erasure.ts';
import type { RemovedKind } from './removal-ledger.ts';

/** One thing that an erasure would remove. */
export interface ErasablePart {
  kind: RemovedKind;
  id: string;
  /** Of a file. */
  bytes?: number;
}

export interface ErasurePlanDeps {
  db: ErasureDeps['db'] & Pick<Database, 'transfer'>;
  blobs: ErasureDeps['blobs'];
  backupDir?: string | undefined;
}

const PAGE = 500;
/** They are gone within an hour by themselves. */
const UPLOADS_SHOWN = 10_000;

/** What the erasure of an account would remove, as it is now. Changes nothing. */
export async function* planErasure(
  { db, blobs, backupDir }: ErasurePlanDeps,
  account: string,
  signal: AbortSignal,
): AsyncGenerator<ErasablePart> {
  const username = (await db.access.accountById(account))?.username;
  const archives = backupDir && username ? await archivesOfUser(backupDir, username) : [];
  for (const { backup: id } of archives) yield { kind: 'backup', id };
  for (const id of await db.access.keyIds(account)) yield { kind: 'api_key', id };
  for (const id of await db.webhooks.endpointIds(account)) yield { kind: 'webhook_endpoint', id };
  for await (const { _id: id } of deliveriesOf(db, account)) yield { kind: 'webhook_delivery', id };
  for await (const { _id: id } of db.transfer.conversationsOf(account)) {
    signal.throwIfAborted();
    yield { kind: 'conversation', id };
    for await (const message of db.transfer.messagesOf(id)) yield { kind: 'message', id: message._id };
  }
  for await (const { _id: id, kind } of db.transfer.jobsOf(account)) {
    signal.throwIfAborted();
    if (kind === 'erasure') continue;
    yield { kind, id };
    for await (const { key, bytes } of blobs.list(id)) yield { kind: 'file', id: key, bytes };
  }
  for (const id of await db.uploads.idsOf(account, UPLOADS_SHOWN)) {
    yield { kind: 'upload', id };
    for await (const { key, bytes } of blobs.list(id)) yield { kind: 'file', id: key, bytes };
  }
  for await (const { _id: id } of db.transfer.filesOf(account)) {
    signal.throwIfAborted();
    yield { kind: 'uploaded_file', id };
    for await (const { key, bytes } of blobs.list(id)) yield { kind: 'file', id: key, bytes };
  }
  yield { kind: 'account', id: account };
}

async function* deliveriesOf({ webhooks }: ErasurePlanDeps['db'], account: string) {
  for (let after: WebhookDeliveryRecord | undefined; ; ) {
    const page = await webhooks.listDeliveries({ account, limit: PAGE, after });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1);
  }
}
