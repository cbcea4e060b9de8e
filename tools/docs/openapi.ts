import { buildApp, type GatewayDeps } from '../../apps/gateway/src/app.ts';
import { ConfigSchema } from '../../apps/gateway/src/config.ts';
import { createLogger, createMetrics, loadConfig } from '../../libs/runtime/src/index.ts';

/** Whatever is asked of it: routes hold on to what they work with, and nobody calls them here. */
const nothing: object = new Proxy({}, { get: (_, name) => (name === 'then' ? undefined : nothing) });

/** The file docs/openapi.json: what a gateway with the default settings serves as /openapi.json. */
export async function apiDescription(): Promise<string> {
  const needed = { MONGO_URL: 'mongodb://127.0.0.1/docs', REDIS_URL: 'redis://127.0.0.1', BLOB_DIR: '.' };
  const deps = {
    ...Object.fromEntries(
      ['db', 'jobs', 'erasures', 'endpoints', 'deliveries', 'blobs', 'media', 'cache'].map((name) => [name, nothing]),
    ),
    producer: { queues: {} },
    metrics: createMetrics('docs'),
    log: createLogger({ service: 'docs', level: 'silent' }),
    stopping: new AbortController().signal,
  } as unknown as GatewayDeps;
  const app = buildApp(loadConfig(ConfigSchema, needed), deps);
  await app.ready();
  const description = app.swagger();
  await app.close();
  return `${JSON.stringify(description, null, 2)}\n`;
}
