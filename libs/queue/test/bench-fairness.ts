import { parseArgs } from 'node:util';
import { addRates } from './bench/add-rates.ts';
import type { Order } from './bench/installation.ts';
import { type Load, p95Start } from './bench/p95-start.ts';
import { spread } from './bench/spread.ts';

/**
 * `npm run bench:fairness`: how long an account's jobs wait for their start while another has 5,000 waiting, against the same
 * load beside an account with few (`steady`), and against an empty installation (`burst`, 40 jobs at once); and how quickly jobs
 * are added. First in, first out is the control that must fail. Each round measures all of them one after another.
 */

const MOST = 2;
const BURST_MOST = 2.2;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, backlog: { type: 'string', default: '5000' } },
});
const backlog = Number(values.backlog);
const cases: [name: string, Order, Load, waiting: number][] = [
  ['steady, the other has 8 waiting', 'fair', 'steady', 8],
  [`steady, the other has ${backlog} waiting`, 'fair', 'steady', backlog],
  [`steady, the other has ${backlog} waiting, first in first out`, 'fifo', 'steady', backlog],
  ['burst, alone', 'fair', 'burst', 0],
  [`burst, the other has ${backlog} waiting`, 'fair', 'burst', backlog],
  [`burst, the other has ${backlog} waiting, first in first out`, 'fifo', 'burst', backlog],
];

const say = (line: string) => process.stdout.write(`${line}\n`);
const measured = cases.map((): number[] => []);
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const [index, [, order, load, waiting]] of cases.entries()) {
    // The control takes as long as all that waits: once is enough.
    if (order === 'fair' || round === 0) measured[index]?.push(await p95Start({ order, load, waiting }));
  }
}
/** Of each round, what one case took against another. */
const ratios = (of: number, to: number) =>
  (measured[of] ?? []).map((ms, round) => ms / (measured[to]?.[round] ?? Number.NaN)).toSorted((a, b) => a - b);
const [steady, steadyControl, burst, burstControl] = [ratios(1, 0), ratios(2, 0), ratios(4, 3), ratios(5, 3)];

say('95th percentile of the time from submission to start in ms: median of the rounds [smallest-largest]');
for (const [index, [name]] of cases.entries()) say(`  ${name}: ${spread(measured[index] ?? [], 0)}`);
say('against the first of its kind, round by round:');
for (const [name, all] of Object.entries({ steady, steadyControl, burst, burstControl })) {
  say(`  ${name}: ${spread(all, 2)}`);
}
say('added per second, in shares and first in first out:');
for (const waiting of [0, 5_000, 50_000]) {
  const { fair, fifo } = await addRates(waiting);
  say(`  with ${waiting} waiting: ${Math.round(fair)} and ${Math.round(fifo)}`);
}

const median = (sorted: number[]) => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
const failures = [
  !(median(steady) <= MOST) && `steady: more than ${MOST} times`,
  !(median(burst) <= BURST_MOST) && `burst: more than ${BURST_MOST} times`,
  !(median(steadyControl) > 10 * MOST) && 'the control is as good: this measures nothing',
].filter((failure) => failure !== false);
for (const failure of failures) say(`FAILED ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
