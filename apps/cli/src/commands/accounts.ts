import {
  LIMIT_NAMES,
  type OwnLimits,
  OwnLimitsSchema,
  RETENTION_PARTS,
  type RetentionWish,
  RetentionWishSchema,
  ROLES,
  type Role,
  UsernameSchema,
} from '@aigolos/contracts';
import type { AccountRecord } from '@aigolos/db';
import { Argument, type Command, Option } from 'commander';
import { CliError } from '../cli-error.ts';
import { momentInWords } from '../jobs/in-words.ts';
import { type Installation, withInstallation } from '../open-installation.ts';

type RetentionOptions = { username: string } & Partial<Record<(typeof RETENTION_PARTS)[number], string>>;

/** What a part is set to that is to follow the installation again. */
const FOLLOW = 'default';

const LISTED = 10_000;
const WHOSE = ['--username <name>', 'whose'] as const;

/** `aigolos accounts create|list|show|role|disable|enable|retention|limits`; `aigolos erase` removes one. */
export function addAccountsCommand(program: Command): void {
  const accounts = program.command('accounts').description('look after the accounts of an installation');
  accounts
    .command('create')
    .description('make an account, and print its id')
    .requiredOption(...WHOSE)
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).default('user'))
    .action(createAccount);
  accounts
    .command('list')
    .description('list the accounts, newest first')
    .option('--json', 'a line of JSON an account')
    .action(listAccounts);
  accounts
    .command('show')
    .description('show an account')
    .requiredOption(...WHOSE)
    .option('--json', 'for machines')
    .action(showAccount);
  accounts
    .command('role')
    .description('give an account another role; its keys can do no more than it')
    .requiredOption(...WHOSE)
    .addArgument(new Argument('<role>').choices(ROLES))
    .action((role: Role, { username }: { username: string }) => change(username, { role }));
  for (const [name, disabled, description] of [
    ['disable', true, 'have the keys of an account refused; what is open with them ends within seconds'],
    ['enable', false, 'take the keys of an account again'],
  ] as const) {
    accounts
      .command(name)
      .description(description)
      .requiredOption(...WHOSE)
      .action(({ username }: { username: string }) => change(username, { disabled }));
  }
  const retention = accounts
    .command('retention')
    .description('show how long the data of an account is kept where a request does not say, and set it')
    .requiredOption('--username <name>', 'whose');
  for (const part of RETENTION_PARTS) {
    retention.option(`--${part} <lifetime>`, `such as 30d, 12h, 0 or never; ${FOLLOW} to follow the installation`);
  }
  retention.action(setRetention);
  accounts
    .command('limits')
    .description('show what an account may use, and set it: docs/limits.md')
    .requiredOption('--username <name>', 'whose')
    .argument('[limits...]', `such as requests_per_minute=60 tokens_per_day=none; ${FOLLOW} to follow the installation`)
    .action(setLimits);
}

async function createAccount({ username, role }: { username: string; role: Role }): Promise<void> {
  const { data: name, error } = UsernameSchema.safeParse(username);
  if (error) throw new CliError(`--username: ${error.issues.map(({ message }) => message).join('; ')}`);
  await withInstallation(async ({ db }) => {
    const account = await db.access.createAccount(name, role);
    if (!account) throw new CliError(`There is an account named "${name}" already.`);
    console.log(account._id);
  });
}

async function listAccounts({ json }: { json?: true }): Promise<void> {
  await withInstallation(async ({ db }) => {
    for (const account of await db.access.listAccounts({ limit: LISTED })) tell(account, json);
  });
}

async function showAccount({ username, json }: { username: string; json?: true }): Promise<void> {
  await withInstallation(async ({ db }) => tell(await accountNamed(db, username), json));
}

async function change(username: string, what: { role?: Role; disabled?: boolean }): Promise<void> {
  await withInstallation(async ({ db }) => {
    const { _id } = await accountNamed(db, username);
    const changed = await db.access.changeAccount(_id, what);
    if (changed) tell(changed);
  });
}

async function accountNamed(db: Installation['db'], username: string): Promise<AccountRecord> {
  const account = await db.access.findAccount(username);
  if (!account) throw new CliError(`There is no account named "${username}".`);
  return account;
}

function tell({ _id: id, username, role = 'user', createdAt, disabledAt }: AccountRecord, json?: true): void {
  if (json) return console.log(JSON.stringify({ id, username, role, createdAt, disabledAt: disabledAt ?? null }));
  const state = disabledAt ? `disabled since ${momentInWords(disabledAt)}` : undefined;
  console.log([id, role.padEnd(9), username, state].filter((column) => column !== undefined).join('  '));
}

async function setRetention({ username, ...given }: RetentionOptions): Promise<void> {
  const named = RETENTION_PARTS.filter((part) => given[part] !== undefined);
  const wish = parse(
    Object.fromEntries(named.map((part) => [part, given[part]]).filter(([, text]) => text !== FOLLOW)),
  );
  await withInstallation(async ({ db }) => {
    const account = await accountNamed(db, username);
    const before = Object.entries(account.retention ?? {}).filter(([part]) => !named.some((name) => name === part));
    const retention = { ...Object.fromEntries(before), ...wish };
    if (named.length > 0) await db.access.setRetention(account._id, retention);
    for (const part of RETENTION_PARTS) console.log(`${part.padEnd(13)} ${inWords(retention, part)}`);
  });
}

async function setLimits(given: string[], { username }: { username: string }): Promise<void> {
  const following = given
    .filter((text) => text.endsWith(`=${FOLLOW}`))
    .map((text) => text.slice(0, -FOLLOW.length - 1));
  const wish = parseLimits(given.filter((text) => !text.endsWith(`=${FOLLOW}`)).join(','));
  parseLimits(following.map((name) => `${name}=none`).join(','));
  await withInstallation(async ({ db }) => {
    const account = await db.access.findAccount(username);
    if (!account) throw new CliError(`There is no account named "${username}".`);
    const before = account.limits ?? {};
    const limits = Object.fromEntries(
      Object.entries({ ...before, ...wish }).filter(([name]) => !following.includes(name)),
    ) as OwnLimits;
    if (given.length > 0) {
      await db.access.setLimits(account._id, limits);
      // What it used while it had no limits is counted, too.
      await db.quotas.recount(account._id);
    }
    for (const name of LIMIT_NAMES) console.log(`${name.padEnd(24)} ${limitInWords(limits[name])}`);
  });
}

function parseLimits(text: string): OwnLimits {
  const { data, error } = OwnLimitsSchema.safeParse(text);
  if (error) throw new CliError(error.issues.map(({ message }) => message).join('\n'));
  return data;
}

function limitInWords(limit: number | null | undefined): string {
  if (limit === undefined) return 'as the installation says';
  return limit === null ? 'none' : String(limit);
}

function parse(given: Record<string, unknown>): RetentionWish {
  const { data, error } = RetentionWishSchema.safeParse(given);
  if (error) throw new CliError(error.issues.map(({ message }) => message).join('\n'));
  return data;
}

function inWords(retention: RetentionWish, part: keyof RetentionWish): string {
  const seconds = retention[part];
  if (seconds === undefined) return 'as the installation says';
  return seconds === null ? 'never' : `${seconds} s`;
}
