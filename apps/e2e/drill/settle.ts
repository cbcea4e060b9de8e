import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal } from '@aigolos/contracts';
import { openDatabaseShell } from '@aigolos/testing';
import { type Evidence, gatherEvidence } from './evidence.ts';
import type { Installation } from './installation.ts';
import type { Case } from './invariants/case.ts';
import { filesMatchRecords, queuesAreEmpty } from './invariants/stores.ts';

const LOOK_EVERY_MS = 1_500;

/** Awaits that nothing is on its way any more, at most so long; what is there then is the evidence, whether it is in order or not. */
export async function untilSettled(
  installation: Installation,
  { timeoutMs, ...given }: Omit<Case, 'evidence'> & { timeoutMs: number },
): Promise<Evidence> {
  const deadline = Date.now() + timeoutMs;
  const shell = openDatabaseShell(installation.mongoUrl);
  try {
    for (;;) {
      const evidence = await gatherEvidence(installation, shell);
      if ((await isSettled({ ...given, evidence })) || Date.now() > deadline) return evidence;
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    await shell.close();
  }
}

async function isSettled(given: Case): Promise<boolean> {
  const { jobs, deliveries } = given.evidence;
  if ((await queuesAreEmpty(given)).length > 0 || deliveries.some(({ status }) => status === 'pending')) return false;
  const moving = [...jobs.values()].some(
    ({ status, messagesPending, webhooksPending }) => !isFinal(status) || messagesPending || webhooksPending,
  );
  return !moving && (await filesMatchRecords(given)).length === 0;
}
