import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from '../journal.ts';
import type { BatchOperation } from './batches.ts';
import type { Caller } from './http.ts';
import { uploadOf } from './submission.ts';

/** Uploads what a batch is made of. @returns the id of the file; nothing where it was refused, or nobody waits any longer. */
export type Uploads = (batch: BatchOperation) => Promise<string | undefined>;

const PAUSE_MS = 400;

/** Once for each batch, whatever became of tries that were not answered: under its key a request must stay the same. */
export function createUploads({
  call,
  journal,
  signal,
}: {
  call: Caller;
  journal: Journal;
  signal: AbortSignal;
}): Uploads {
  const files = new Map<string, Promise<string | undefined>>();

  async function upload(batch: BatchOperation): Promise<string | undefined> {
    while (!signal.aborted) {
      const { path, ...request } = uploadOf(batch);
      const outcome = await call(path, request);
      const body = outcome.answered ? await outcome.response.text().catch(() => '') : '';
      if (outcome.answered && outcome.response.ok && body !== '') return (JSON.parse(body) as { id: string }).id;
      if (outcome.answered && outcome.response.status < 500 && !outcome.response.ok) {
        const { status: http } = outcome.response;
        journal.write({ type: 'refused', op: batch.id, http, code: body.slice(0, 200), ms: outcome.ms });
        return undefined;
      }
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  return (batch) => {
    const uploaded = files.get(batch.id) ?? upload(batch);
    files.set(batch.id, uploaded);
    return uploaded;
  };
}
