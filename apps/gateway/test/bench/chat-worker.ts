import { openDatabase } from '@aigolos/db';
import { said } from '../answers.ts';
import { startWorker } from '../harness.ts';
import { isReady } from './program.ts';
import { silentLog, storesFrom } from './stores.ts';

/** A worker whose chats take no time. */

const { redisUrl, queuePrefix, mongoUrl } = storesFrom(process.argv[2]);
const config = { REDIS_URL: redisUrl, QUEUE_PREFIX: queuePrefix };
const db = await openDatabase(mongoUrl);
const stop = await startWorker({ config, db, log: silentLog(), kind: 'chat', process: async () => said('done') });
isReady({}, () => stop().then(() => db.close()));
