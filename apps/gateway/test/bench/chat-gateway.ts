import { openHouse } from '../harness.ts';
import { isReady } from './program.ts';
import { silentLog, storesFrom } from './stores.ts';

/** A gateway; what it says when it is ready is its address and a key. */

const { redisUrl, queuePrefix, mongoUrl } = storesFrom(process.argv[2]);
const settings = { QUEUE_PREFIX: queuePrefix };
const house = await openHouse({ url: redisUrl }, { newDatabaseUrl: () => mongoUrl }, settings, { log: silentLog() });
isReady({ url: house.url, key: house.keys.user }, () => house.close());
