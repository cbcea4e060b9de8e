import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuthError } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import { messageOf } from '@aigolos/runtime';
import { CliError } from '../cli-error.ts';

/** The account that the keys of a local stack belong to. */
const ACCOUNT = 'local';
/** What is called day by day, and what looks after accounts and queues. */
const KEY_FILES = { user: 'api-key', admin: 'admin-key' } as const;
type KeyName = keyof typeof KEY_FILES;

/** The keys of a local stack. */
export interface LocalKeys {
  apiKey: string;
  /** Those that were made just now: to be shown, this once. */
  made: { file: string; key: string }[];
}

/**
 * Creates what the database lacks, before any app writes, and sees that the stack has its account, an operator's, and that
 * its two keys are valid.
 * @throws CliError where the database does not answer.
 */
export async function prepareAccess(mongoUrl: string, home: string): Promise<LocalKeys> {
  const { openDatabase } = await import('@aigolos/db');
  const db = await openDatabase(mongoUrl).catch((error: unknown) => {
    const { host } = new URL(mongoUrl);
    throw new CliError(`The MongoDB at ${host} does not answer (${messageOf(error)}): start it, or correct MONGO_URL.`);
  });
  try {
    await db.prepare();
    const [admin, user] = [await ensureKey(db, 'admin', home), await ensureKey(db, 'user', home)];
    return { apiKey: user.key, made: [user, admin].filter(({ isNew }) => isNew) };
  } finally {
    await db.close();
  }
}

/** The key of the running stack, as it lies in the data folder. */
export async function readApiKey(home: string, name: KeyName = 'user'): Promise<string | undefined> {
  const text = await readFile(join(home, KEY_FILES[name]), 'utf8').catch(() => undefined);
  return text?.trim() || undefined;
}

async function ensureKey(
  db: Database,
  role: KeyName,
  home: string,
): Promise<{ file: string; key: string; isNew: boolean }> {
  const file = join(home, KEY_FILES[role]);
  const kept = await readApiKey(home, role);
  if (kept !== undefined && (await isValid(db, kept, role))) return { file, key: kept, isNew: false };
  const account = await db.access.ensureAccount(ACCOUNT, 'admin');
  const { key } = await db.access.createKey({ account: account._id, role, label: `npm start (${role})` });
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  // The mode above is for a new file only.
  await chmod(file, 0o600);
  return { file, key, isNew: true };
}

/** One that was changed by hand is made anew, as one that was revoked. */
async function isValid(db: Database, text: string, role: KeyName): Promise<boolean> {
  const holder = await db.access.findHolder(text).catch((error: unknown) => {
    if (!(error instanceof AuthError)) throw error;
  });
  return holder !== undefined && holder.key.role === role && !holder.key.revokedAt;
}
