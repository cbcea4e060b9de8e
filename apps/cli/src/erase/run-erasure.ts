import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { createJobRunner } from '@aigolos/jobs';
import { createEraser, findOpenErasure, requestErasure } from '@aigolos/lifecycle';
import { createMetrics } from '@aigolos/runtime';
import type { Installation } from '../open-installation.ts';
import { removalDeps } from '../removal-deps.ts';

const LOOK_AGAIN_MS = 500;
const PENDING_TOLD = 5;

/**
 * Erases an account here, attempt after attempt until all is gone, or goes on with an erasure that was begun. Where the signal
 * ends it early, worker-maintenance goes on, or the same command.
 * @returns the erasure as it is then.
 */
export async function runErasure(
  installation: Installation,
  account: string,
  { signal, tell }: { signal: AbortSignal; tell: (line: string) => void },
): Promise<JobRecord<'erasure'>> {
  const { db } = installation;
  const scope = { type: 'account' } as const;
  const { _id: id } =
    (await findOpenErasure({ db }, account, scope)) ?? (await requestErasure({ db }, account, { scope }));
  const runner = createRunner(installation);
  signal.addEventListener('abort', () => runner.abortAll(), { once: true });
  if (signal.aborted) runner.abortAll();
  for (let told = ''; ; ) {
    const handled = await runner.handle(id);
    const erasure = (await db.jobs.find(id)) as JobRecord<'erasure'>;
    if (isFinal(erasure.status) || signal.aborted) return erasure;
    const pending = await db.erasures.postponed(id, PENDING_TOLD);
    const news = pending.map(({ kind, item, reason }) => `still there: ${kind} ${item}: ${reason}`).join('\n');
    if (news !== told && news !== '') tell(news);
    told = news;
    const waitMs = handled === 'done' ? LOOK_AGAIN_MS : Math.max(LOOK_AGAIN_MS, handled.againAfterMs);
    await sleep(waitMs, undefined, { signal }).catch(() => {});
  }
}

function createRunner(installation: Installation) {
  const { db, redis, log } = installation;
  const nowhere = { add: () => Promise.resolve(), bringForward: () => Promise.resolve() };
  const unheard = { publish: () => Promise.resolve() };
  // What is read is kept for a second at most: by then nobody finds it any more.
  const cache = { invalidate: () => Promise.resolve() };
  return createJobRunner({
    queue: 'erasure',
    processors: {
      erasure: createEraser({ ...removalDeps(installation), db, backupDir: installation.backupDir }),
    },
    deps: { db, producer: redis?.producer ?? nowhere, live: redis?.live ?? unheard, cache, log },
    metrics: createMetrics('cli'),
  });
}
