import { UnavailableError } from '@aigolos/contracts';
import { archivesOfUser, removeArchive } from './backup/archives-of-user.ts';
import type { ErasureDeps } from './erasure.ts';
import type { RemovalLedger } from './removal-ledger.ts';

type Deps = Pick<ErasureDeps, 'db' | 'backupDir' | 'log'> & { ledger: RemovalLedger };

/** Removes an account's archives from all backups. What cannot be removed yet is postponed. */
export async function removeBackups(deps: Deps, account: string): Promise<void> {
  const { db, backupDir, ledger } = deps;
  if (backupDir === undefined) return;
  // From here on a backup that is being made leaves this account out.
  await db.access.markErasing(account);
  const username = (await db.access.accountById(account))?.username;
  if (username === undefined) return;
  for (const archive of await archivesOfUser(backupDir, username)) {
    const item = { kind: 'backup' as const, item: archive.backup };
    await ledger.note(item.kind, [item.item]);
    await removeArchive(archive).then(
      () => ledger.settle(item),
      (error: unknown) => {
        deps.log.warn({ err: error, ...item }, 'an archive could not be removed from a backup');
        return ledger.postpone(item, 'its archive in this backup could not be removed yet');
      },
    );
  }
}

/** Tries once more. @throws UnavailableError */
export async function retryBackup(deps: Deps, account: string, backup: string): Promise<void> {
  const username = (await deps.db.access.accountById(account))?.username;
  if (deps.backupDir === undefined || username === undefined) {
    throw new UnavailableError('the folder of backups is not known here');
  }
  const [archive] = (await archivesOfUser(deps.backupDir, username)).filter((one) => one.backup === backup);
  if (archive) await removeArchive(archive);
  await deps.ledger.settle({ kind: 'backup', item: backup });
}
