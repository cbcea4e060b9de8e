import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChatMessage } from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord } from '@aigolos/db';
import { expectedAnswer, expectedSamples, expectedTranscript } from '../expected.ts';
import { sha256 } from '../load/answer.ts';
import type { Operation } from '../load/operations.ts';
import { type Case, jobsOfLoad, type Rule, type Violation } from './case.ts';
import { contextsOf } from './conversations.ts';

/** A completed job has the one result that its engine makes of its input, and so had everybody who got it. */
export const resultsAreRight: Rule = async (given) => {
  const violations: Violation[] = [];
  const contexts = contextsOf(given.evidence.messages);
  const got = Map.groupBy(given.journal.of('result'), ({ job }) => job);
  for (const { job, operation } of jobsOfLoad(given)) {
    const about = job._id;
    if (job.status !== 'completed') {
      if (job.result) violations.push({ rule: 'result', about, what: `is ${job.status} and has a result` });
      continue;
    }
    const digest = await digestOf(given, job, operation, contexts).catch((error: unknown) => String(error));
    if (digest.length !== SHA256_LENGTH) {
      violations.push({ rule: 'result', about, what: digest });
      continue;
    }
    for (const { sha256: read, begin } of got.get(about) ?? []) {
      if (read !== digest) violations.push({ rule: 'result', about, what: `the client got another result: ${begin}` });
    }
  }
  return violations;
};

const SHA256_LENGTH = 64;

/** The hash of what a client gets, once the record's result was compared with what it must be; else what is wrong. */
async function digestOf(
  given: Case,
  job: AnyJobRecord,
  operation: Operation,
  contexts: Map<string, ChatMessage[]>,
): Promise<string> {
  if (!job.result) return 'is completed and has no result';
  if (job.kind === 'transcription' && operation.kind === 'transcription') {
    const text = await expectedTranscript(operation.soundSeed, operation.seconds);
    return job.result.text === text ? sha256(text) : `the transcript is "${job.result.text}", not "${text}"`;
  }
  if (job.kind === 'chat') {
    const context = job.conversation === undefined ? [] : contexts.get(job._id);
    if (!context) return 'its turn is not in the conversation';
    const { text } = await expectedAnswer([...context, ...job.task.messages]);
    return job.result.text === text ? sha256(text) : `the answer is "${job.result.text}", not "${text}"`;
  }
  if (job.kind === 'speech') return speechDigest(given, job);
  return 'is of no kind that was submitted';
}

/** A sample may be rounded either way. */
const ROUNDING = 2;

async function speechDigest({ evidence }: Case, { task, result }: JobRecord<'speech'>): Promise<string> {
  if (!result) return 'has no result';
  const file = await readFile(join(evidence.blobDir, result.blobKey)).catch(() => undefined);
  if (!file) return `its file ${result.blobKey} is missing`;
  if (file.length !== result.bytes) return `its file has ${file.length} bytes, not ${result.bytes}`;
  const samples = await expectedSamples(task.input, task.voice);
  if (task.format === 'wav') {
    const spoken = samplesOf(file);
    if (spoken.length !== samples.length) return `${spoken.length} samples were spoken, not ${samples.length}`;
    const wrong = spoken.findIndex((sample, at) => Math.abs(sample - (samples[at] ?? 0) * 0x8000) > ROUNDING);
    if (wrong !== -1) return `sample ${wrong} is ${spoken[wrong]}, not ${(samples[wrong] ?? 0) * 0x8000}`;
  }
  return sha256(file);
}

/** Of a WAV file with 16-bit samples. */
function samplesOf(wav: Buffer): Int16Array {
  const data = wav.indexOf('data') + 8;
  return Int16Array.from({ length: (wav.length - data) / 2 }, (_, index) => wav.readInt16LE(data + index * 2));
}

/** What was consumed is counted once: as much as the input makes it, and nothing for work that never began. */
export const usageIsCountedOnce: Rule = async (given) => {
  const violations: Violation[] = [];
  const contexts = contextsOf(given.evidence.messages);
  for (const { job, operation } of jobsOfLoad(given)) {
    const what = await wrongUsage(job, operation, contexts);
    if (what !== undefined) violations.push({ rule: 'usage', about: job._id, what });
  }
  return violations;
};

async function wrongUsage(
  job: AnyJobRecord,
  operation: Operation,
  contexts: Map<string, ChatMessage[]>,
): Promise<string | undefined> {
  const { usage } = job;
  if (job.fence === 0) return usage && 'never began and has usage';
  if (job.status !== 'completed') return undefined;
  if (!usage) return 'completed and has no usage';
  if (job.kind === 'transcription' && operation.kind === 'transcription') {
    return usage.audioSeconds === operation.seconds ? undefined : `${usage.audioSeconds} s of ${operation.seconds}`;
  }
  if (job.kind === 'speech') {
    const characters = Array.from(job.task.input).length;
    return usage.inputCharacters === characters ? undefined : `${usage.inputCharacters} characters of ${characters}`;
  }
  if (job.kind === 'chat') {
    const { promptTokens, completionTokens } = await expectedAnswer([
      ...(contexts.get(job._id) ?? []),
      ...job.task.messages,
    ]);
    const same = usage.promptTokens === promptTokens && usage.completionTokens === completionTokens;
    return same
      ? undefined
      : `${usage.promptTokens} + ${usage.completionTokens} tokens, not ${promptTokens} + ${completionTokens}`;
  }
  return undefined;
}
