import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiKeyRole, Database } from '@aigolos/db';
import { messageOf } from '@aigolos/runtime';
import { CliError } from '../cli-error.ts';

/** The account that the keys of a local stack belong to. */
const ACCOUNT = 'local';
const KEY_FILES: Record<ApiKeyRole, string> = { user: 'api-key', admin: 'admin-key' };

/**
 * Creates what the database lacks, before any app writes, and sees that the stack's two keys are valid.
 * @returns the user's API key.
 * @throws CliError where the database does not answer.
 */
export async function prepareAccess(mongoUrl: string, home: string): Promise<string> {
  const { openDatabase } = await import('@aigolos/db');
  const db = await openDatabase(mongoUrl).catch((error: unknown) => {
    const { host } = new URL(mongoUrl);
    throw new CliError(`The MongoDB at ${host} does not answer (${messageOf(error)}): start it, or correct MONGO_URL.`);
  });
  try {
    await db.prepare();
    await ensureKey(db, 'admin', home);
    return await ensureKey(db, 'user', home);
  } finally {
    await db.close();
  }
}

/** The key of the running stack, as it lies in the data folder. */
export async function readApiKey(home: string, role: ApiKeyRole = 'user'): Promise<string | undefined> {
  const text = await readFile(join(home, KEY_FILES[role]), 'utf8').catch(() => undefined);
  return text?.trim() || undefined;
}

async function ensureKey(db: Database, role: ApiKeyRole, home: string): Promise<string> {
  const kept = await readApiKey(home, role);
  if (kept && (await db.access.findByKey(kept))?.role === role) return kept;
  const account = await db.access.ensureAccount(ACCOUNT);
  const { key } = await db.access.createKey({ account: account._id, role, label: `npm start (${role})` });
  const path = join(home, KEY_FILES[role]);
  await writeFile(path, `${key}\n`, { mode: 0o600 });
  // The mode above is for a new file only.
  await chmod(path, 0o600);
  return key;
}
