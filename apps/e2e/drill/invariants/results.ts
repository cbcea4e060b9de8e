import type { ChatMessage, SpeechResult, SpeechTask } from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord } from '@aigolos/db';
import { expectedAnswer, expectedSamples, expectedTranscript } from '../expected.ts';
import { sha256, wordsOf } from '../load/answer.ts';
import type { Operation } from '../load/operations.ts';
import { type Case, jobsOfLoad, type Rule, type Violation } from './case.ts';
import { contextsOf } from './conversations.ts';
import { bytesOf, contentOfFile } from './files.ts';

/** A completed job has the one result that its engine makes of its input, and so had everybody who got it. */
export const resultsAreRight: Rule = async (given) => {
  const violations: Violation[] = [];
  const contexts = contextsOf(given.evidence.messages);
  const got = Map.groupBy(given.journal.of('result'), ({ job }) => job);
  for (const { job, operation } of jobsOfLoad(given)) {
    const about = job._id;
    if (job.status !== 'completed') {
      // What was done of a batch until it was cancelled is kept.
      const keeps = job.kind === 'batch' && job.status === 'cancelled';
      if (job.result && !keeps) violations.push({ rule: 'result', about, what: `is ${job.status} and has a result` });
      continue;
    }
    const right = await digestsOf(given, job, operation, contexts).catch((error: unknown) => wrong(String(error)));
    if ('wrong' in right) {
      violations.push({ rule: 'result', about, what: right.wrong });
      continue;
    }
    for (const { sha256: read, begin } of got.get(about) ?? []) {
      if (!right.digests.includes(read)) {
        violations.push({ rule: 'result', about, what: `the client got another result: ${begin}` });
      }
    }
  }
  return violations;
};

type Right = { digests: string[] } | { wrong: string };
const right = (...results: (string | Uint8Array)[]): Right => ({ digests: results.map(sha256) });
const wrong = (what: string): Right => ({ wrong: what });

/** The hashes of the forms in which a client gets a result, once it was compared with what it must be; else what is wrong. */
async function digestsOf(
  given: Case,
  job: AnyJobRecord,
  operation: Operation,
  contexts: Map<string, ChatMessage[]>,
): Promise<Right> {
  if (!job.result) return wrong('is completed and has no result');
  if (job.kind === 'transcription' && operation.kind === 'transcription') {
    const text = await expectedTranscript(operation.soundSeed, operation.seconds);
    return job.result.text === text ? right(text) : wrong(`the transcript is "${job.result.text}", not "${text}"`);
  }
  if (job.kind === 'chat') {
    const asked = askedOf(job, contexts);
    if (!asked) return wrong('its turn is not in the conversation');
    const { text } = await expectedAnswer(asked);
    return job.result.text === text ? right(text) : wrong(`the answer is "${job.result.text}", not "${text}"`);
  }
  if (job.kind === 'speech') return spokenOf(given, job.task, job.result);
  if (job.kind === 'voice-turn' && operation.kind === 'voice-turn') {
    const { transcript, answer, speech } = job.result;
    const heard = await expectedTranscript(operation.soundSeed, operation.seconds);
    if (transcript.text !== heard) return wrong(`the transcript is "${transcript.text}", not "${heard}"`);
    const asked = askedOf(job, contexts);
    if (!asked) return wrong('its turn is not in the conversation');
    const { text } = await expectedAnswer(asked);
    if (answer.text !== text) return wrong(`the answer is "${answer.text}", not "${text}"`);
    const spoken = await spokenOf(given, { ...job.task.speech, input: text }, speech);
    return 'wrong' in spoken ? spoken : { digests: [sha256(wordsOf(job.result)), ...spoken.digests] };
  }
  if (job.kind === 'batch') {
    const { outputFile, errorFile } = job.result;
    const contents = await Promise.all([outputFile, errorFile].map((id) => contentOfFile(given, id)));
    return right(contents.join(''));
  }
  return wrong('is of no kind that was submitted');
}

/** All that its model was to be given; nothing where its turn should be in a conversation and is not. */
function askedOf(
  job: JobRecord<'chat'> | JobRecord<'voice-turn'>,
  contexts: Map<string, ChatMessage[]>,
): ChatMessage[] | undefined {
  const context = job.conversation === undefined ? [] : contexts.get(job._id);
  if (!context) return undefined;
  if ('messages' in job.task) return [...context, ...job.task.messages];
  const { instructions = '' } = job.task;
  const heard = (job as JobRecord<'voice-turn'>).result?.transcript.text ?? '';
  return [{ role: 'system', content: instructions }, ...context, { role: 'user', content: heard }];
}

/** A sample may be rounded either way. */
const ROUNDING = 2;

async function spokenOf(
  given: Case,
  { input, voice, format }: Pick<SpeechTask, 'input' | 'voice' | 'format'>,
  result: SpeechResult,
): Promise<Right> {
  const file = await bytesOf(given, result.blobKey);
  if (!file) return wrong(`its file ${result.blobKey} is missing`);
  if (file.length !== result.bytes) return wrong(`its file has ${file.length} bytes, not ${result.bytes}`);
  const samples = await expectedSamples(input, voice);
  if (format === 'wav') {
    const spoken = samplesOf(file);
    if (spoken.length !== samples.length) return wrong(`${spoken.length} samples were spoken, not ${samples.length}`);
    const at = spoken.findIndex((sample, place) => Math.abs(sample - (samples[place] ?? 0) * 0x8000) > ROUNDING);
    if (at !== -1) return wrong(`sample ${at} is ${spoken[at]}, not ${(samples[at] ?? 0) * 0x8000}`);
  }
  return right(file);
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
  if (job.kind === 'voice-turn' && operation.kind === 'voice-turn') {
    const characters = Array.from(job.result?.answer.text ?? '').length;
    if (usage.audioSeconds !== operation.seconds) return `${usage.audioSeconds} s of ${operation.seconds}`;
    if (usage.inputCharacters !== characters) return `${usage.inputCharacters} characters of ${characters}`;
  }
  if (job.kind === 'chat' || job.kind === 'voice-turn') {
    const { promptTokens, completionTokens } = await expectedAnswer(askedOf(job, contexts) ?? []);
    const same = usage.promptTokens === promptTokens && usage.completionTokens === completionTokens;
    return same
      ? undefined
      : `${usage.promptTokens} + ${usage.completionTokens} tokens, not ${promptTokens} + ${completionTokens}`;
  }
  // What its lines have used is counted by their jobs.
  if (job.kind === 'batch' && Object.keys(usage).length > 0) return `a batch has usage: ${JSON.stringify(usage)}`;
  return undefined;
}
