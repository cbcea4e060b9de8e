import { type MongoProcess, startMongo, startRedis } from '@aigolos/testing';
import { CHAT, said } from '../answers.ts';
import { openHouse } from '../harness.ts';

const WARM_UP = 30;

/**
 * How many milliseconds a synchronous call takes whose engine takes none: HTTP, the job's record, its queue, claim, result and
 * answer. Gateway, worker and client share a process here.
 */
export async function queuePath(calls: number): Promise<number[]> {
  const [redis, mongo] = await Promise.all([startRedis(), startMongo()]);
  const house = await openHouse({ url: redis.url }, testMongo(mongo));
  try {
    await house.work('chat', async () => said('done'));
    const took: number[] = [];
    for (let call = -WARM_UP; call < calls; call += 1) {
      const begun = performance.now();
      const answer = await house.post('/v1/chat/completions', CHAT);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`a call was answered ${answer.status}`);
      if (call >= 0) took.push(performance.now() - begun);
    }
    return took.toSorted((a, b) => a - b);
  } finally {
    await house.close();
    await Promise.all([redis.kill('SIGKILL'), mongo.kill('SIGKILL')]);
  }
}

function testMongo(mongo: MongoProcess) {
  let databases = 0;
  return {
    newDatabaseUrl() {
      databases += 1;
      return mongo.databaseUrl(`bench${databases}`);
    },
  };
}
