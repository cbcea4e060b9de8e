import { createLogger, loadConfig, runApp } from '@aigolos/runtime';
import { ConfigSchema } from './config.ts';
import { createGateway } from './gateway.ts';

const config = loadConfig(ConfigSchema);
const log = createLogger({ service: 'gateway', level: config.LOG_LEVEL });
await runApp(createGateway(config, log), { log, graceMs: config.STOP_GRACE_MS + 5_000 });
