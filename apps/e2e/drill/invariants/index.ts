import { linesAreToldOnce, linesHaveTheirKeys, madeFilesAreTold } from './batches.ts';
import type { Case, Rule, Violation } from './case.ts';
import { turnsAreInOrder, turnsAreWrittenOnce } from './conversations.ts';
import { resultsAreRight, usageIsCountedOnce } from './results.ts';
import { cancelsAreKept, everyJobEnds, noOtherStates, oneFinalState } from './states.ts';
import { filesMatchRecords, oneJobAnOperation, queuesAreEmpty } from './stores.ts';
import { everyEndIsTold, webhooksAreOne } from './webhooks.ts';

const RULES: readonly Rule[] = [
  everyJobEnds,
  oneFinalState,
  noOtherStates,
  cancelsAreKept,
  resultsAreRight,
  usageIsCountedOnce,
  turnsAreWrittenOnce,
  turnsAreInOrder,
  webhooksAreOne,
  everyEndIsTold,
  filesMatchRecords,
  queuesAreEmpty,
  oneJobAnOperation,
  linesAreToldOnce,
  linesHaveTheirKeys,
  madeFilesAreTold,
];

/** Everything that was not as it was promised. */
export async function findViolations(given: Case): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const rule of RULES) found.push(...(await rule(given)));
  return found;
}
