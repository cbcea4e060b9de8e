import { delimiter, dirname, join } from 'node:path';
import getPort from 'get-port';
import type { CliConfig } from '../config.ts';
import { defaultBlobDir } from '../data-settings.ts';
import type { Preparation } from '../prepare/prepare.ts';
import { httpReady } from './health-checks.ts';
import type { ProcessSpec } from './run-process.ts';

const WORKERS = ['worker-asr', 'worker-llm', 'worker-tts', 'worker-maintenance', 'worker-webhooks'];
/** Longer than an app gives its own work to end. */
const APP_GRACE_MS = 20_000;

export interface AppSpec extends ProcessSpec {
  healthUrl: string;
}

/** The gateway and one of each worker. */
export async function appSpecs(
  config: CliConfig,
  urls: { redisUrl: string; mongoUrl: string },
  preparation: Preparation,
): Promise<AppSpec[]> {
  const shared = sharedEnv(config, urls, preparation);
  const { HOST, PORT } = config.env;
  const gateway = appSpec(config, 'gateway', { ...shared, HOST, PORT: String(PORT) }, gatewayUrl(config));
  const workers = WORKERS.map(async (name) => {
    const port = await getPort();
    const env = { ...shared, HEALTH_HOST: '127.0.0.1', HEALTH_PORT: String(port) };
    return appSpec(config, name, env, `http://127.0.0.1:${port}`);
  });
  return [gateway, ...(await Promise.all(workers))];
}

/** Where the gateway is reached from this machine. */
export function gatewayUrl({ env: { HOST, PORT } }: CliConfig): string {
  const host = HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${PORT}`;
}

/** What the user has set goes to every app; what this stack decides stands above it. */
function sharedEnv(
  config: CliConfig,
  { redisUrl, mongoUrl }: { redisUrl: string; mongoUrl: string },
  { asrPython, hasEspeak }: Preparation,
): Record<string, string> {
  const { env, paths } = config;
  const given = Object.entries(env).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string' && !entry[0].startsWith('npm_');
  });
  return {
    NODE_ENV: 'production',
    BLOB_DIR: defaultBlobDir(config),
    // Who develops a receiver runs it on the same machine.
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
    TTS_ENGINE: hasEspeak ? 'piper,espeak' : 'piper',
    ...(asrPython ? { ASR_PYTHON: asrPython } : {}),
    ...Object.fromEntries(given),
    PATH: `${dirname(process.execPath)}${delimiter}${env.PATH}`,
    MONGO_URL: mongoUrl,
    REDIS_URL: redisUrl,
    MODELS_DIR: paths.models,
  };
}

function appSpec({ paths }: CliConfig, name: string, env: Record<string, string>, url: string): AppSpec {
  const main = join(paths.root, 'apps', name, 'src', 'main.ts');
  const healthUrl = `${url}/readyz`;
  return {
    name,
    command: process.execPath,
    args: [main],
    env,
    ipc: true,
    marks: [main],
    graceMs: APP_GRACE_MS,
    healthUrl,
    isHealthy: () => httpReady(healthUrl),
  };
}
