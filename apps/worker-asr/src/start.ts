import { createLogger, loadConfig, runApp } from '@aigolos/runtime';
import { createApp } from './app.ts';
import { ConfigSchema } from './config.ts';

const config = loadConfig(ConfigSchema);
const log = createLogger({ service: 'worker-asr', level: config.LOG_LEVEL });
await runApp(createApp(config, log), { log, graceMs: config.DRAIN_GRACE_MS + 5_000 });
