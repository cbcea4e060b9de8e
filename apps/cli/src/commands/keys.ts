import { lesserRole, ROLES, type Role, SCOPE_NAMES, type Scope } from '@aigolos/contracts';
import type { ApiKeyRecord } from '@aigolos/db';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError } from '../cli-error.ts';
import { momentInWords } from '../jobs/in-words.ts';
import { withInstallation } from '../open-installation.ts';
import { milliseconds } from './milliseconds.ts';

interface CreateOptions {
  username: string;
  role: Role;
  scopes?: Scope[];
  expires?: number;
  label: string;
}

const LISTED = 1_000;

/** `aigolos keys create|list|revoke`. */
export function addKeysCommand(program: Command): void {
  const keys = program.command('keys').description('look after the API keys of an installation');
  keys
    .command('create')
    .description('make an API key and show it, this once')
    .addOption(
      new Option('--username <name>', 'whose key it is; the account is made where there is none').default('local'),
    )
    .addOption(new Option('--role <role>', 'what it may do at most').choices(ROLES).default('user'))
    .option('--scopes <scopes>', `what it is for: some of ${SCOPE_NAMES.join(',')}; all where absent`, scopesOf)
    .option('--expires <time>', 'it is valid for so long, such as 12h or 30d; for ever where absent', milliseconds)
    .option('--label <text>', 'what it is for, in words', 'made by aigolos keys create')
    .action(createKey);
  keys
    .command('list')
    .description('list the API keys of an account, newest first')
    .requiredOption('--username <name>', 'whose')
    .option('--json', 'a line of JSON a key')
    .action(listKeys);
  keys
    .command('revoke')
    .description('have an API key refused from now on; what is open with it ends within seconds')
    .argument('<id>', 'such as key_…')
    .action(revokeKey);
}

async function createKey({ username, role, scopes, expires, label }: CreateOptions): Promise<void> {
  await withInstallation(async ({ db }) => {
    const account = await db.access.ensureAccount(username, role);
    const most = account.role ?? 'user';
    if (lesserRole(role, most) !== role) {
      const hint = `aigolos accounts role --username ${username} ${role}`;
      throw new CliError(`A key cannot do more than its account, and "${username}" is ${most}: ${hint} changes that.`);
    }
    const expiresAt = expires === undefined ? undefined : new Date(Date.now() + expires);
    const { key } = await db.access.createKey({ account: account._id, role, label, scopes, expiresAt });
    console.log(key);
  });
}

async function listKeys({ username, json }: { username: string; json?: true }): Promise<void> {
  await withInstallation(async ({ db }) => {
    const account = await db.access.findAccount(username);
    if (!account) throw new CliError(`There is no account named "${username}".`);
    for (const key of await db.access.listKeys({ account: account._id, limit: LISTED })) {
      console.log(json ? JSON.stringify(toSummary(key)) : inOneLine(key));
    }
  });
}

async function revokeKey(id: string): Promise<void> {
  await withInstallation(async ({ db }) => {
    const account = await db.access.accountOfKey(id);
    const key = account === undefined ? undefined : await db.access.revokeKey(account, id);
    if (!key) throw new CliError(`There is no API key ${id}.`);
    console.log(`${id} is revoked`);
  });
}

/** What a list tells of a key to machines; times are ISO 8601. */
function toSummary({ _id: id, hash: _hash, scopes = SCOPE_NAMES, ...key }: ApiKeyRecord) {
  return { id, scopes, ...key };
}

function inOneLine({ _id, role, scopes, label, expiresAt, lastUsedAt, revokedAt }: ApiKeyRecord): string {
  const used = lastUsedAt ? `used ${momentInWords(lastUsedAt)}` : 'never used';
  const end = revokedAt
    ? `revoked ${momentInWords(revokedAt)}`
    : expiresAt && `${expiresAt > new Date() ? 'expires' : 'expired'} ${momentInWords(expiresAt)}`;
  return [_id, role.padEnd(9), scopes?.join(',') ?? 'all scopes', used, end, label].filter(Boolean).join('  ');
}

function scopesOf(text: string): Scope[] {
  const names = text.split(',').map((name) => name.trim());
  const known = SCOPE_NAMES.filter((scope) => names.includes(scope));
  const odd = names.filter((name) => !known.some((scope) => scope === name));
  if (odd.length === 0) return known;
  throw new InvalidArgumentError(`${odd.join(', ')}: there is no such scope; there are ${SCOPE_NAMES.join(', ')}.`);
}
