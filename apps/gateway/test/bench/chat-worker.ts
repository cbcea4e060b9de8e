import { openDatabase } from '@aigolos/db';
import { createLogger } from '@aigolos/runtime';
import { said } from '../answers.ts';
import { startWorker } from '../harness.ts';

/** A worker in a process of its own, as an installation has it, whose chats take no time. */

const [REDIS_URL = '', QUEUE_PREFIX = '', mongoUrl = ''] = process.argv.slice(2);
const log = createLogger({ service: 'bench', level: 'info' }, { write: () => {} });
const db = await openDatabase(mongoUrl);
const config = { REDIS_URL, QUEUE_PREFIX };
const stop = await startWorker({ config, db, log, kind: 'chat', process: async () => said('done') });
process.once('SIGTERM', () => {
  void stop().then(() => db.close());
  process.disconnect?.();
});
process.send?.('ready');
