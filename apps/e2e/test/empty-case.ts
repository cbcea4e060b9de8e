import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AnyJobRecord, FileRecord, MessageRecord } from '@aigolos/db';
import { onTestFinished } from 'vitest';
import type { Case } from '../drill/invariants/case.ts';
import { createJournal } from '../drill/journal.ts';
import type { Operation } from '../drill/load/operations.ts';

export const END = new Date(1_700_000_000_000);
export const ENDED = { status: 'completed', fence: 1, finishedAt: END, account: 'acc_1' } as const;

/** A case without evidence, and ways to add some. */
export async function emptyCase(operations: Operation[]) {
  const blobDir = await mkdtemp(join(tmpdir(), 'aigolos-rules-'));
  onTestFinished(() => rm(blobDir, { recursive: true }));
  const evidence = {
    jobs: new Map<string, AnyJobRecord>(),
    messages: [] as MessageRecord[],
    deliveries: [],
    files: [] as FileRecord[],
    blobs: new Set<string>(),
    blobDir,
    queued: [],
  };
  const journal = createJournal();
  const given: Case = { operations: new Map(operations.map((one) => [one.id, one])), journal, evidence };
  return {
    given,
    evidence,
    journal,
    async put(key: string, content: string | Uint8Array) {
      await mkdir(dirname(join(blobDir, key)), { recursive: true });
      await writeFile(join(blobDir, key), content);
      evidence.blobs.add(key);
    },
    tell: (job: string, event = 'job.completed') =>
      journal.write({ type: 'webhook', id: `evt_${job}`, event, job, body: '{}', answered: '200' }),
  };
}
