import { parseArgs } from 'node:util';
import { startMongo, startRedis } from '@aigolos/testing';
import { jsonRoutes } from './bench/json-routes.ts';
import { queuePath } from './bench/queue-path.ts';
import { uploads } from './bench/uploads.ts';
import { MB, uploadMemory } from './upload-memory.ts';

/**
 * `npm run bench:edge`: what the edge costs. A route with zod against the same route with ajv; an upload into the blob store against
 * a bare pipe; what the queue adds to a synchronous call; the memory of a large upload. `--only json|upload|queue|memory` is one of
 * them; `--mongo-url` has the queue's calls kept in another database.
 */

const LEAST_JSON = 0.8;
const LEAST_UPLOAD = 0.7;
const MOST_MEDIAN_MS = 15;
const MOST_P99_MS = 50;
const MOST_GROWTH_MB = 64;
const UPLOAD_MB = 128;
const LARGE_UPLOAD_MB = 500;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '10000' },
    calls: { type: 'string', default: '300' },
    'mongo-url': { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const say = (line: string) => process.stdout.write(`${line}\n`);
const failures: string[] = [];
const asked = (name: string) => values.only === undefined || values.only === name;

const inOrder = (numbers: number[]) => numbers.toSorted((a, b) => a - b);

/** Of a figure of each round. */
function spread(figures: number[], digits = 1): { median: number; text: string } {
  const sorted = inOrder(figures);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const [least, most] = [sorted[0]?.toFixed(digits), sorted.at(-1)?.toFixed(digits)];
  return { median, text: `${median.toFixed(digits)} [${least}-${most}]` };
}

/** How much of a server's speed is left with another, going by their processor time, round by round. */
function ratio(name: string, of: number[], to: number[], least?: number): void {
  const { median, text } = spread(
    of.map((cost, round) => (to[round] ?? Number.NaN) / cost),
    2,
  );
  say(`  ${name}: ${text}`);
  if (least !== undefined && !(median >= least)) failures.push(`${name}: ${median.toFixed(2)} is less than ${least}`);
}
const all = (costs: number[], digits: number) => costs.map((cost) => cost.toFixed(digits)).join(' ');

if (asked('json')) {
  const { zod, ajv, bare } = await jsonRoutes(rounds, Number(values.requests));
  const servers = Object.entries({ zod, ajv, 'no plugins': bare });
  const costs = servers.map(([name, ms]) => `${name} ${spread(ms, 3).text}`);
  say(`JSON route, ms of processor time for a request: ${costs.join(', ')}`);
  ratio('zod to ajv', zod, ajv, LEAST_JSON);
  ratio("zod to ajv without the gateway's plugins", zod, bare);
}
if (asked('upload')) {
  const { 'upload-ours': ours, 'upload-bare': bare } = await uploads(rounds, UPLOAD_MB);
  say(
    `upload, ms of processor time for a megabyte: blob store ${all(ours, 2)}; bare pipe ${all(bare, 2)}; all arrived as sent`,
  );
  ratio('blob store to bare pipe', ours, bare, LEAST_UPLOAD);
}
if (asked('queue')) {
  const { took, cpu } = await queuePath(rounds, Number(values.calls), values['mongo-url']);
  const at = (times: number[], part: number) => inOrder(times)[Math.floor(times.length * part)] ?? Number.NaN;
  const figure = (of: 'added' | 'queue' | 'inProcess', part: number) =>
    spread(took.map((times) => at(times[of], part)));
  const figures = (of: Parameters<typeof figure>[0]) => `median ${figure(of, 0.5).text}, p99 ${figure(of, 0.99).text}`;
  say(`queue path, ms that it adds to ${values.calls} calls, ${rounds} rounds: ${figures('added')}`);
  say(`  through the queue: ${figures('queue')}; in process: ${figures('inProcess')}`);
  const used = Object.entries(cpu).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  say(`  ms of processor time for a call: ${used.join(', ')}`);
  const [median, p99] = [figure('added', 0.5).median, figure('added', 0.99).median];
  if (!(median < MOST_MEDIAN_MS)) failures.push(`queue path: the median is not under ${MOST_MEDIAN_MS} ms`);
  if (!(p99 < MOST_P99_MS)) failures.push(`queue path: p99 is not under ${MOST_P99_MS} ms`);
}
if (asked('memory')) {
  const [redis, mongo] = await Promise.all([startRedis(), startMongo()]);
  const servers = { redisUrl: redis.url, mongoUrl: mongo.databaseUrl('bench') };
  try {
    const { growthMB, arrivedBytes } = await uploadMemory(servers, LARGE_UPLOAD_MB);
    say(`memory of the gateway during an upload of ${LARGE_UPLOAD_MB} MB: ${growthMB.toFixed(0)} MB more than before`);
    if (arrivedBytes !== LARGE_UPLOAD_MB * MB) failures.push(`only ${arrivedBytes} bytes have arrived`);
    if (!(growthMB < MOST_GROWTH_MB)) failures.push(`memory: more than ${MOST_GROWTH_MB} MB`);
  } finally {
    await Promise.all([redis.kill('SIGKILL'), mongo.kill('SIGKILL')]);
  }
}
for (const failure of failures) say(`FAILED ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
