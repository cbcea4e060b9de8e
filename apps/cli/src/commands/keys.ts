import type { ApiKeyRole } from '@aigolos/db';
import { type Command, Option } from 'commander';
import { withInstallation } from '../open-installation.ts';

/** All there are; named here so that other commands do without the library of the database. */
const ROLES = Object.keys({ user: true, admin: true } satisfies Record<ApiKeyRole, true>);

/** `aigolos keys create`. */
export function addKeysCommand(program: Command): void {
  const keys = program.command('keys').description('look after the API keys of an installation');
  keys
    .command('create')
    .description('make an API key and show it, this once')
    .addOption(
      new Option('--username <name>', 'whose key it is; the account is made where there is none').default('local'),
    )
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).default('user'))
    .option('--label <text>', 'what it is for', 'made by aigolos keys create')
    .action(createKey);
}

async function createKey(options: { username: string; role: ApiKeyRole; label: string }): Promise<void> {
  await withInstallation(async ({ db }) => {
    const account = await db.access.ensureAccount(options.username);
    const { key } = await db.access.createKey({ account: account._id, role: options.role, label: options.label });
    console.log(key);
  });
}
