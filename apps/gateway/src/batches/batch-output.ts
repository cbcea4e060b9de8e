import { Readable } from 'node:stream';
import type { BlobStore } from '@aigolos/blob-store';
import type { BatchCheckpoint, BatchOutputLine, JobUsage } from '@aigolos/contracts';
import { isOutput, type LineOutcome } from './line-outcome.ts';
import { addTo, isIn } from './line-ranges.ts';

/** The two files that a batch makes. */
export const OUTPUT_FORMS = ['output', 'error'] as const;
export type OutputForm = (typeof OUTPUT_FORMS)[number];

/** What came of the lines so far: in pieces in the blob store, and the newest of it here. */
export interface BatchOutput {
  readonly state: BatchCheckpoint;
  isDone(line: number): boolean;
  /** Takes what came of a line, once it is sure to be in the next checkpoint or in none. */
  add(line: { number: number; customId: string }, outcome: LineOutcome): Promise<void>;
  /** Puts what is here in the blob store, and tells of it. */
  flush(): Promise<void>;
  /** A whole file, of which nothing is held in memory. */
  content(form: OutputForm): AsyncGenerator<Uint8Array>;
}

export interface BatchOutputOptions {
  job: { _id: string; fence: number };
  state: BatchCheckpoint;
  blobs: Pick<BlobStore, 'read' | 'receive' | 'commit'>;
  /** Keeps the state in the record. */
  keep: (state: BatchCheckpoint) => Promise<void>;
}

const FLUSH_CHARACTERS = 1024 ** 2;
const FLUSH_LINES = 500;
/** What is not kept yet is done again by another process: its jobs are found, and collected anew. */
const FLUSH_EVERY_MS = 5_000;
/** A batch that goes on for a day does not make a piece every five seconds. */
const FLUSH_EVERY_PART_OF_AGE = 0.01;

/** Writing goes on one piece after another; those who add meanwhile wait for nothing but a full buffer. */
export function createBatchOutput({ job, state, blobs, keep }: BatchOutputOptions): BatchOutput {
  const began = Date.now();
  const buffers: Record<OutputForm, string[]> = { output: [], error: [] };
  let characters = 0;
  let lastFlush = Date.now();
  let flushing: Promise<void> = Promise.resolve();
  const mine = { fence: job.fence, output: 0, error: 0 };
  const keyOf = (form: OutputForm, fence: number, index: number) => `${job._id}/${form}-${fence}-${index}`;

  async function write(): Promise<void> {
    lastFlush = Date.now();
    const taken = { output: buffers.output.splice(0), error: buffers.error.splice(0) };
    characters = 0;
    // What stands in the record is what is written by then, not what is added while it is.
    const whole = structuredClone(state);
    if (taken.output.length + taken.error.length === 0) return;
    const pieces = { ...mine };
    for (const form of OUTPUT_FORMS) {
      if (taken[form].length === 0) continue;
      const file = await blobs.receive(Readable.from(taken[form]), { maxBytes: Number.POSITIVE_INFINITY });
      await blobs.commit(file, keyOf(form, job.fence, pieces[form]));
      pieces[form] += 1;
    }
    if (mine.output + mine.error === 0) state.pieces.push(mine);
    Object.assign(mine, pieces);
    await keep({ ...whole, pieces: structuredClone(state.pieces) });
  }

  /** After one that failed none is written: its lines are in no piece, and no state may say that they are done. */
  function flush(): Promise<void> {
    flushing = flushing.then(write);
    return flushing;
  }

  return {
    state,
    isDone: (line) => isIn(state.done, line),
    async add({ number, customId }, outcome) {
      const form = isOutput(outcome) ? 'output' : 'error';
      const { response, error, usage } = outcome;
      const suffix = job._id.slice(job._id.indexOf('_') + 1);
      const line: BatchOutputLine = { id: `batch_req_${suffix}_${number}`, custom_id: customId, response, error };
      const text = `${JSON.stringify(line)}\n`;
      buffers[form].push(text);
      characters += text.length;
      addTo(state.done, number);
      state.counts[form === 'output' ? 'completed' : 'failed'] += 1;
      state.usage = sum(state.usage, usage);
      const isFull = characters >= FLUSH_CHARACTERS || buffers.output.length + buffers.error.length >= FLUSH_LINES;
      const everyMs = Math.max(FLUSH_EVERY_MS, (Date.now() - began) * FLUSH_EVERY_PART_OF_AGE);
      if (isFull || Date.now() - lastFlush >= everyMs) await flush();
    },
    flush,
    async *content(form) {
      for (const { fence, ...counts } of state.pieces) {
        for (let index = 0; index < counts[form]; index += 1) yield* await blobs.read(keyOf(form, fence, index));
      }
    },
  };
}

const USAGE_FIELDS = ['audioSeconds', 'inputCharacters', 'promptTokens', 'completionTokens', 'computeMs'] as const;

function sum(one: JobUsage, other: JobUsage): JobUsage {
  const fields = USAGE_FIELDS.filter((field) => one[field] !== undefined || other[field] !== undefined);
  return Object.fromEntries(fields.map((field) => [field, (one[field] ?? 0) + (other[field] ?? 0)]));
}
