/** What an account, and a key of it, may do at most, the most powerful first. */
export const ROLES = ['admin', 'user', 'read-only'] as const;
/** `admin` looks after accounts and queues too; `read-only` looks at what is there, and submits and changes nothing. */
export type Role = (typeof ROLES)[number];

/** What a key may be for, and what that is. */
export const SCOPES = {
  transcriptions: 'transcribe and translate audio',
  speech: 'have texts spoken',
  chat: 'chat completions, and those that are stored',
  responses: 'responses',
  voice_turns: 'voice turns',
  conversations: 'conversations and what was said in them',
  files: 'files and uploads',
  batches: 'batches, of routes that the key may call by itself',
  'jobs:read': 'look at jobs of every kind, and fetch what came of them',
  'jobs:write': 'cancel and delete jobs of every kind',
  webhooks: 'webhook endpoints, their deliveries and secrets',
  exports: 'archives of everything that the account has',
  erasures: 'erase jobs, conversations and the whole account',
  account: 'set how long the data of the account is kept',
  usage: 'see what the account has used',
  api_keys: 'make, list and revoke keys of the account',
  admin: "other accounts, their keys, and the queues' board; needs the role admin",
} as const;
export type Scope = keyof typeof SCOPES;
export const SCOPE_NAMES = Object.keys(SCOPES) as [Scope, ...Scope[]];

/** What the holder of a key may do. */
export interface Grant {
  role: Role;
  scopes: readonly Scope[];
  /** No longer than until then. */
  expiresAt?: Date | undefined;
}

/** The role that is allowed less. */
export function lesserRole(one: Role, other: Role): Role {
  return ROLES.indexOf(one) > ROLES.indexOf(other) ? one : other;
}
