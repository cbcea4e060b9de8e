import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Conduct, conduct } from './conduct.ts';
import type { Control } from './controls/replacements.ts';
import { planAftermath } from './faults/aftermath.ts';
import { createInjector } from './faults/injector.ts';
import { planFaults } from './faults/schedule.ts';
import { type Installation, startInstallation } from './installation.ts';
import type { Case, Violation } from './invariants/case.ts';
import { findViolations } from './invariants/index.ts';
import { createJournal, type Journal } from './journal.ts';
import { operationsOfLines } from './load/batches.ts';
import { createClient } from './load/client.ts';
import type { Operation } from './load/operations.ts';
import { planLoad } from './load/plan.ts';
import { measureRecovery } from './measures.ts';
import { createMetricsReader, type MetricsReader } from './metrics.ts';
import { createRandom } from './random.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { untilSettled } from './settle.ts';
import type { Supervisor } from './supervisor.ts';

export interface DrillOptions {
  seed: number;
  jobs: number;
  faults: number;
  /** Fewer processes and shorter outages, to fit into a minute. */
  isShort?: boolean;
  control?: Control | undefined;
  /** Where the journal goes, as JSON lines. */
  journalFile?: string | undefined;
  /** A folder for what the processes log. */
  logDir?: string | undefined;
}

export interface DrillReport {
  seed: number;
  control: Control | undefined;
  seconds: number;
  /** Operations of the load, with those that were laid out for faults, and what lines of batches ask for. */
  operations: number;
  acknowledged: number;
  unknown: number;
  byStatus: Record<string, number>;
  faults: Record<string, number>;
  repairs: Record<string, number>;
  inconsistenciesRepaired: Record<string, number>;
  unwantedEnds: string[];
  /** In the aftermath alone: a process that was frozen is late by as much. */
  eventLoopDelayP99Seconds: Record<string, number>;
  recovery: ReturnType<typeof measureRecovery>;
  violations: (Violation & { history: string[] })[];
}

const APPS = {
  gateway: 2,
  'worker-asr': 2,
  'worker-llm': 2,
  'worker-tts': 2,
  'worker-maintenance': 2,
  'worker-webhooks': 2,
};
const FEW_APPS = { ...APPS, gateway: 1, 'worker-webhooks': 1 };
const OPERATIONS_PER_SECOND = 8;
/** A process needs some seconds to start on a machine with two cores. */
const SHORT_OPERATIONS_PER_SECOND = 6;
const SECONDS_PER_FAULT = 7;
const OUTAGE_MS = 20_000;
const SHORT_OUTAGE_MS = 5_000;
/** So long after the load and the last fault everything must have ended; a busy machine takes its time to tidy up. */
const SETTLED_WITHIN_MS = 300_000;
const SHORT_SETTLED_WITHIN_MS = 90_000;
/** A bad build does not get any further by being waited for. */
const CONTROL_SETTLED_WITHIN_MS = 10_000;
const SCRAPE_EVERY_MS = 2_000;
/** Each look at what fits together reads every record: of thousands, every two seconds, the database would do nothing else. */
const LONG_RUN = { CONSISTENCY_EVERY_MS: '10000' };

/** Load and faults by a seed, then the judgement. */
export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const { seed, jobs, faults: faultCount, control, isShort = false } = options;
  const begun = Date.now();
  const random = createRandom(seed);
  const apps = isShort ? FEW_APPS : APPS;
  const secondsPerFault = isShort ? 0 : SECONDS_PER_FAULT;
  const durationMs =
    Math.max(jobs / (isShort ? SHORT_OPERATIONS_PER_SECOND : OPERATIONS_PER_SECOND), faultCount * secondsPerFault) *
    1_000;
  const load = planLoad(random.fork('load'), { jobs, durationMs });
  const outageMs = isShort ? SHORT_OUTAGE_MS : OUTAGE_MS;
  const faults = planFaults(random.fork('faults'), { faults: faultCount, durationMs, outageMs, apps });
  const storm = { load, faults };
  // A bad build has shown by then that it is one, and the tests judge no times.
  const aftermath =
    isShort || control !== undefined ? undefined : planAftermath(random.fork('aftermath'), { outageMs });
  const parts = aftermath ? [storm, aftermath] : [storm];
  const planned = parts.flatMap((part) => [...part.load, ...part.faults.flatMap(({ baits }) => baits)]);
  const all = planned.flatMap((one) => (one.kind === 'batch' ? [one, ...operationsOfLines(one)] : [one]));
  const operations = new Map(all.map((one) => [one.id, one]));

  const journal = createJournal(options.journalFile);
  const receiver = await startReceiver(journal, random.fork('receiver'));
  const installation = await startInstallation({ journal, apps, control, ...(!isShort && { env: LONG_RUN }) });
  try {
    const metrics = createMetricsReader(installation.supervisor.places);
    const patienceMs = isShort ? SHORT_SETTLED_WITHIN_MS : SETTLED_WITHIN_MS;
    const settleMs = control === undefined ? patienceMs : CONTROL_SETTLED_WITHIN_MS;
    const given = await play({ installation, receiver, journal, metrics, operations, parts, random, settleMs });
    const violations = await findViolations(given);
    return {
      seed,
      control,
      seconds: Math.round((Date.now() - begun) / 1_000),
      ...summaryOf(given),
      repairs: metrics.sumBy('aigolos_reconciler_repairs_total', 'repair'),
      inconsistenciesRepaired: metrics.sumBy('aigolos_inconsistencies_repaired_total', 'kind'),
      eventLoopDelayP99Seconds: aftermath ? metrics.highest('aigolos_event_loop_delay_p99_seconds') : {},
      recovery: measureRecovery(given),
      violations: violations.map((violation) => ({ ...violation, history: historyOf(given, violation) })),
    };
  } finally {
    await installation.stop();
    if (options.logDir !== undefined) await keepLogs(options.logDir, installation.supervisor);
    await receiver.close();
    await journal.close();
  }
}

async function keepLogs(folder: string, supervisor: Supervisor): Promise<void> {
  await mkdir(folder, { recursive: true });
  const byPlace = Map.groupBy(supervisor.logs(), ({ id }) => id);
  await Promise.all(
    [...byPlace].map(([id, logs]) =>
      writeFile(join(folder, `${id}.log`), logs.map(({ output }) => output).join('--- started again ---\n')),
    ),
  );
}

interface Play {
  installation: Installation;
  receiver: Receiver;
  journal: Journal;
  metrics: MetricsReader;
  operations: Map<string, Operation>;
  /** One after another: the next begins when all of the one before has ended. */
  parts: Pick<Conduct, 'load' | 'faults'>[];
  random: ReturnType<typeof createRandom>;
  settleMs: number;
}

async function play({
  installation,
  receiver,
  journal,
  metrics,
  operations,
  parts,
  random,
  settleMs,
}: Play): Promise<Case> {
  const { urls, apiKey } = installation;
  const patience = new AbortController();
  const client = createClient({ urls, apiKey, journal, signal: patience.signal });
  const injector = createInjector({ installation, client, journal, random: random.fork('cuts') });
  await registerReceiver(installation, receiver.url);
  const scraping = setInterval(() => void metrics.scrape(), SCRAPE_EVERY_MS);

  for (const part of parts) {
    metrics.forgetHighest();
    const running = await conduct({ ...part, run: client.run, inject: injector.inject });
    await injector.settled();
    const givingUp = setTimeout(() => patience.abort(), settleMs);
    await Promise.all([...running, injector.baitsEnded()]);
    clearTimeout(givingUp);
  }

  const evidence = await untilSettled(installation, { operations, journal, timeoutMs: settleMs });
  await lookAtAllOnceMore(journal, client.look);
  clearInterval(scraping);
  await metrics.scrape();
  return { operations, journal, evidence };
}

async function registerReceiver({ urls, apiKey }: Installation, url: string): Promise<void> {
  const response = await fetch(`${urls[0]}/v1/webhook_endpoints`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url }),
  });
  if (!response.ok) throw new Error(`the receiver was not registered: ${response.status} ${await response.text()}`);
}

const LOOKS_AT_ONCE = 20;

async function lookAtAllOnceMore(journal: Journal, look: (op: string, job: string) => Promise<boolean>): Promise<void> {
  const deleted = new Set(journal.of('deleted').map(({ job }) => job));
  const jobs = new Map(journal.of('acknowledged').map(({ op, job }) => [job, op]));
  const rest = [...jobs].filter(([job]) => !deleted.has(job));
  await Promise.all(
    Array.from({ length: LOOKS_AT_ONCE }, async () => {
      for (let next = rest.pop(); next; next = rest.pop()) await look(next[1], next[0]);
    }),
  );
}

function summaryOf({ operations, journal, evidence }: Case) {
  const count = (names: Iterable<string>) => {
    const counts: Record<string, number> = {};
    for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  };
  const load = [...evidence.jobs.values()].filter(({ kind }) => kind !== 'erasure');
  const acknowledged = new Set(journal.of('acknowledged').map(({ op }) => op));
  return {
    operations: operations.size,
    acknowledged: acknowledged.size,
    unknown: new Set(journal.of('unknown').map(({ op }) => op)).difference(acknowledged).size,
    byStatus: { ...count(load.map(({ status }) => status)), deleted: journal.of('deleted').length },
    faults: count(
      journal
        .of('fault')
        .filter(({ phase }) => phase === 'begin')
        .map(({ name, detail }) => (detail.includes('#') ? `${name} ${detail.split('#', 1)[0]}` : name)),
    ),
    unwantedEnds: journal
      .of('app_ended')
      .filter(({ wanted }) => !wanted)
      .map(({ app, how }) => `${app} ${how}`),
  };
}

const HISTORY_LINES = 40;

/** The lines of the journal that name it, and the faults around them. */
function historyOf({ journal }: Case, { about }: Violation): string[] {
  const ops = new Set(
    journal.lines.flatMap((line) => ('job' in line && line.job === about && 'op' in line ? [line.op] : [])),
  );
  const lines = journal.lines.filter(
    (line) =>
      ('job' in line && line.job === about) ||
      ('op' in line && (line.op === about || ops.has(line.op))) ||
      line.type === 'fault',
  );
  return lines.slice(-HISTORY_LINES).map((line) => JSON.stringify(line));
}
