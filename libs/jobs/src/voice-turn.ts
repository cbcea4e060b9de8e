import {
  JobError,
  type JobKind,
  type JobStep,
  type JobUsage,
  LlmServiceError,
  ValidationError,
  VOICE_TURN_STEPS,
  type VoiceTurnCheckpoint,
  VoiceTurnCheckpointSchema,
} from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord, StepEnd } from '@aigolos/db';
import type { HandedOver, JobContext, Processed, Processor } from './processor.ts';

/** The first step of a voice turn, by the processor of transcriptions. */
export function transcribeStep(process: Processor<'transcription'>): Processor<'voice-turn'> {
  return async (context) => {
    const { audio, transcription } = context.job.task;
    const kept = checkpointOf(context);
    const task = { ...transcription, audio, responseFormat: 'json' as const, wordTimestamps: false };
    const { result, usage, warnings } = await process(within(context, { step: 'transcribe', kept, task }));
    const { text, language, durationSeconds } = result;
    if (text === '') throw nothingHeard();
    return handOver('answer', add(kept, { usage, warnings, transcript: { text, language, durationSeconds } }));
  };
}

/** The second, by the processor of chats. Its deltas are the turn's. */
export function answerStep(process: Processor<'chat'>): Processor<'voice-turn'> {
  return async (context) => {
    const { model, instructions, maxTokens, conversation } = context.job.task;
    const kept = checkpointOf(context);
    const { transcript = lost() } = kept;
    const task = {
      model,
      messages: [
        ...(instructions === undefined ? [] : [{ role: 'system' as const, content: instructions }]),
        { role: 'user' as const, content: transcript.text },
      ],
      stop: [],
      ...(maxTokens !== undefined && { maxTokens }),
      ...(conversation !== undefined && { conversation }),
    };
    const inner = { ...within<'chat'>(context, { step: 'answer', kept, task }), emitDelta: context.emitDelta };
    const { result: answer, usage, warnings } = await process(inner);
    if (answer.text.trim() === '') throw nothingAnswered();
    return handOver('speak', add(kept, { usage, warnings, answer }));
  };
}

/** The last, by the processor of speech. */
export function speakStep(process: Processor<'speech'>): Processor<'voice-turn'> {
  return async (context) => {
    const kept = checkpointOf(context);
    const { transcript = lost(), answer = lost() } = kept;
    const task = { ...context.job.task.speech, input: answer.text };
    const { result: speech, usage, warnings } = await process(within(context, { step: 'speak', kept, task }));
    const done = add(kept, { usage, warnings });
    return {
      result: { transcript, answer, speech },
      // Seconds are those of what was heard; what was said counts by its characters.
      usage: { ...done.usage, audioSeconds: transcript.durationSeconds },
      warnings: done.warnings,
      ...(answer.finishReason === 'length' && { status: 'incomplete' as const }),
    };
  };
}

interface Inner<Kind extends JobKind> {
  step: JobStep;
  kept: VoiceTurnCheckpoint;
  task: JobRecord<Kind>['task'];
}

/** The turn as the processor of one step sees it: a job of its own kind, whose checkpoint and progress are parts of the turn's. */
function within<Kind extends JobKind>(
  context: JobContext<'voice-turn'>,
  { step, kept, task }: Inner<Kind>,
): JobContext<Kind> {
  const { within: checkpoint, ...before } = kept;
  const { task: _task, checkpoint: _checkpoint, ...job } = context.job;
  const index = VOICE_TURN_STEPS.indexOf(step);
  return {
    ...context,
    job: { ...job, task, checkpoint } as unknown as JobRecord<Kind>,
    reportProgress: (fraction) => context.reportProgress((index + fraction) / VOICE_TURN_STEPS.length),
    checkpoint: (value) => context.checkpoint({ ...before, within: value }),
    checkpointNow: (value) => context.checkpointNow({ ...before, within: value }),
    emitDelta: () => {},
  };
}

function checkpointOf({ job: { checkpoint } }: JobContext<'voice-turn'>): VoiceTurnCheckpoint {
  const kept = VoiceTurnCheckpointSchema.safeParse(checkpoint);
  return kept.success ? kept.data : { version: 1, usage: {}, warnings: [] };
}

/**
 * Where a turn that failed goes on when it is sent back: at the step that it had come to, which itself begins anew. Undefined
 * of all others, and where what the steps before have made is not there.
 */
export function stepsDone({ kind, step, checkpoint }: AnyJobRecord): StepEnd | undefined {
  const { data: kept } = VoiceTurnCheckpointSchema.safeParse(checkpoint);
  if (kind !== 'voice-turn' || step === undefined || !kept?.transcript) return undefined;
  if (step === 'speak' && !kept.answer) return undefined;
  const { within: _begun, ...done } = kept;
  return handOver(step, done);
}

/** What is done with one more step. */
function add(
  { within: _done, ...kept }: VoiceTurnCheckpoint,
  { usage, warnings, ...made }: Pick<Processed<JobKind>, 'usage' | 'warnings'> & Partial<VoiceTurnCheckpoint>,
): VoiceTurnCheckpoint {
  const said = [...new Set([...kept.warnings, ...warnings])];
  return { ...kept, ...made, usage: together(kept.usage, usage), warnings: said };
}

function together(one: JobUsage, other: JobUsage): JobUsage {
  const computeMs = (one.computeMs ?? 0) + (other.computeMs ?? 0);
  return { ...one, ...other, computeMs };
}

function handOver(step: JobStep, checkpoint: VoiceTurnCheckpoint): HandedOver {
  return { step, checkpoint, progress: VOICE_TURN_STEPS.indexOf(step) / VOICE_TURN_STEPS.length };
}

function nothingHeard(): ValidationError {
  return new ValidationError('Nothing was said in the audio that could be answered.', {
    code: 'AUDIO_EMPTY',
    param: 'file',
  });
}

function nothingAnswered(): LlmServiceError {
  return new LlmServiceError('The model answered nothing that could be spoken.', {
    code: 'LLM_ENGINE_FAILED',
    retryable: true,
  });
}

/** Of a record that somebody changed by hand. */
function lost(): never {
  throw new JobError('What the steps before have made is not there any more; submit it again.', { code: 'INTERNAL' });
}
