import type { z } from 'zod';
import { ConfigSchema as cli } from '../../apps/cli/src/config.ts';
import { ConfigSchema as gateway } from '../../apps/gateway/src/config.ts';
import { ConfigSchema as asr } from '../../apps/worker-asr/src/config.ts';
import { ConfigSchema as llm } from '../../apps/worker-llm/src/config.ts';
import { ConfigSchema as maintenance } from '../../apps/worker-maintenance/src/config.ts';
import { ConfigSchema as tts } from '../../apps/worker-tts/src/config.ts';
import { ConfigSchema as webhooks } from '../../apps/worker-webhooks/src/config.ts';

const APPS: Record<string, z.ZodObject> = {
  gateway,
  'worker-asr': asr,
  'worker-llm': llm,
  'worker-tts': tts,
  'worker-maintenance': maintenance,
  'worker-webhooks': webhooks,
};
/** What the command line reads itself; most of the rest it only hands on. */
const COMMAND_LINE = '`aigolos` and `npm start`';

const INTRODUCTION = `# Configuration

<!-- Written by \`npm run docs\` from the apps' schemas; do not edit. -->

Every app reads its settings from the environment and says at its start everything that is wrong with them. \`npm start\` sets what
is marked *set by \`npm start\`* and hands every other variable on from its own environment.
`;

const SET_BY_START = new Set([
  'MONGO_URL',
  'REDIS_URL',
  'BLOB_DIR',
  'MODELS_DIR',
  'ASR_PYTHON',
  'HEALTH_PORT',
  'WEBHOOK_ALLOWED_NETWORKS',
]);

function defaultOf(name: string, schema: z.ZodType): string {
  const parsed = schema.safeParse(undefined);
  const unset = parsed.success ? undefined : 'required';
  const given = [parsed.data ?? []].flat().map(String).join(',');
  const value = given === '' ? unset : `\`${given}\``;
  return [value, SET_BY_START.has(name) ? '*set by `npm start`*' : undefined].filter(Boolean).join('; ');
}

/** The page docs/configuration.md, from the apps' own schemas. */
export function configurationPage(): string {
  const users = new Map<string, { schema: z.ZodType; apps: string[] }>();
  for (const [app, { shape }] of Object.entries(APPS)) {
    for (const [name, schema] of Object.entries<z.ZodType>(shape)) {
      const known = users.get(name) ?? { schema, apps: [] };
      users.set(name, { ...known, apps: [...known.apps, app] });
    }
  }
  for (const [name, schema] of Object.entries<z.ZodType>(cli.shape)) {
    if (name !== 'PATH' && !users.has(name)) users.set(name, { schema, apps: [COMMAND_LINE] });
  }
  const row = (name: string, schema: z.ZodType) => {
    return `| \`${name}\` | ${schema.description?.replaceAll('|', '\\|') ?? ''} | ${defaultOf(name, schema)} |`;
  };
  const section = (title: string, wanted: (apps: string[]) => boolean) => {
    const rows = [...users].filter(([, { apps }]) => wanted(apps)).map(([name, { schema }]) => row(name, schema));
    return rows.length === 0
      ? ''
      : `\n## ${title}\n\n| variable | what it is | default |\n|---|---|---|\n${rows.join('\n')}\n`;
  };
  const shared = section('More than one app', (apps) => apps.length > 1);
  const own = [...Object.keys(APPS), COMMAND_LINE].map((app) =>
    section(app, (apps) => apps.length === 1 && apps[0] === app),
  );
  return INTRODUCTION + shared + own.join('');
}
