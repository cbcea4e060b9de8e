import { Readable } from 'node:stream';
import type { BlobStore } from '@aigolos/blob-store';
import { type SpeechCheckpoint, type SpeechTask, TtsServiceError } from '@aigolos/contracts';
import type { TtsAudio, TtsEngine } from '@aigolos/engines/tts';
import type { JobContext, Processor } from '@aigolos/jobs';
import { fromS16le, type Media, readS16le } from '@aigolos/media';
import { otherRate, speakGroup } from './speak-group.ts';
import { keptParts, storePart } from './speech-parts.ts';
import { type PlannedSentence, planSpeech } from './speech-plan.ts';
import { timingsOf } from './timings.ts';

export interface SpeakDeps {
  engines: TtsEngine[];
  media: Pick<Media, 'encode'>;
  blobs: Pick<BlobStore, 'receive' | 'commit' | 'read' | 'exists' | 'size'>;
}

/** A text this short is spoken at once. */
const SHORT_TEXT_CHARACTERS = 200;
/** The first groups are short, so that the first sound comes soon; the last figure stands for all that follow. */
const GROUP_SECONDS = [2, 5, 10, 20, 40];
/** What may, spoken slowly, be more than a plain WAV holds. */
const HUGE_CHARACTERS = 200_000;

/** What has been spoken so far: the parts that are kept, and the samples of each sentence. */
interface Spoken {
  checkpoint: SpeechCheckpoint;
  samples: number[];
}

/**
 * Speaks group of sentences by group, encoding meanwhile. What a group says is kept, so that a later attempt goes on after
 * the last one, and those who listen while it is made are told of it.
 */
export function createSpeakProcessor({ engines, media, blobs }: SpeakDeps): Processor<'speech'> {
  return async (context) => {
    const { job, signal, log } = context;
    const { task } = job;
    const begun = performance.now();
    const engine = engineFor(engines, task);
    const plan = planSpeech(task.input, engine.voices.find(({ id }) => id === task.voice)?.language);
    const kept = await keptParts(job, plan, blobs);
    const checkpoint: SpeechCheckpoint = kept ?? {
      version: 1,
      sampleRateHz: 0,
      begunBy: job.fence,
      parts: [],
      computeMs: 0,
    };
    const spoken: Spoken = { checkpoint, samples: checkpoint.parts.flatMap(({ sentences }) => sentences) };
    if (kept) log.info({ parts: kept.parts.length, sentences: spoken.samples.length }, 'going on after the last group');
    const earlierMs = checkpoint.computeMs;
    const computeMs = () => earlierMs + performance.now() - begun;

    const isHuge = task.input.length / task.speed > HUGE_CHARACTERS;
    const pcm = speak({ context, engine, plan, spoken, blobs, computeMs });
    const audio = await media.encode(pcm, { format: task.format, isHuge }, signal);
    const { contentType, bytes, durationSeconds } = audio;
    const timings = timingsOf(plan, spoken.samples, { ...spoken.checkpoint, durationSeconds });
    // The fence in the key keeps a late writer from overwriting what the winner wrote.
    const stored = await store(blobs, audio, { key: `${job._id}/output-${job.fence}.${task.format}`, signal });
    const listed = Buffer.from(JSON.stringify(timings));
    const times = { stream: Readable.from([listed]), bytes: listed.length };
    const { blobKey, ...rest } = await store(blobs, times, { key: `${job._id}/timings-${job.fence}.json`, signal });
    const { parts, begunBy } = spoken.checkpoint;
    const told = parts.length > 0 && { begunBy };
    return {
      result: { blobKey: stored.blobKey, contentType, bytes, durationSeconds, timings: { blobKey, ...rest }, ...told },
      usage: {
        inputCharacters: Array.from(task.input).length,
        audioSeconds: durationSeconds,
        computeMs: computeMs(),
      },
      warnings: [],
    };
  };
}

interface Speaking {
  context: JobContext<'speech'>;
  engine: TtsEngine;
  plan: PlannedSentence[];
  spoken: Spoken;
  blobs: SpeakDeps['blobs'];
  computeMs: () => number;
}

/** All of the text in samples of 16 bits: the groups that are kept, then the others as they are made. */
async function* speak(speaking: Speaking): AsyncGenerator<TtsAudio> {
  const { context, engine, plan, spoken, blobs } = speaking;
  const { job, signal, reportProgress } = context;
  const { input, voice, speed } = job.task;
  const { parts, sampleRateHz } = spoken.checkpoint;
  for (const { blobKey } of parts) {
    for await (const samples of readS16le(await blobs.read(blobKey))) yield { samples, sampleRateHz };
  }
  while (spoken.samples.length < plan.length) {
    const isShort = input.length <= SHORT_TEXT_CHARACTERS;
    const enough = GROUP_SECONDS[spoken.checkpoint.parts.length] ?? GROUP_SECONDS.at(-1) ?? 0;
    const group = await speakGroup(engine, plan.slice(spoken.samples.length), {
      voice,
      speed,
      signal,
      enoughSeconds: isShort ? Number.POSITIVE_INFINITY : enough,
      onSpoken: ({ textEnd }) => reportProgress(textEnd / input.length),
    });
    const { sampleRateHz: rate } = group;
    if (rate === undefined) return;
    const known = spoken.checkpoint.sampleRateHz;
    if (known !== 0 && known !== rate) throw otherRate();
    spoken.checkpoint.sampleRateHz = rate;
    spoken.samples.push(...group.sentences);
    const isWhole = spoken.samples.length === plan.length && spoken.checkpoint.parts.length === 0;
    if (!isWhole) await keep(speaking, group);
    for (const bytes of group.pcm) yield { samples: fromS16le(bytes), sampleRateHz: rate };
  }
}

/** Stores a group, and resolves when a later attempt would find it. */
async function keep(
  { context, plan, spoken, blobs, computeMs }: Speaking,
  { pcm, sentences }: { pcm: Buffer[]; sentences: number[] },
): Promise<void> {
  const { parts } = spoken.checkpoint;
  const part = await storePart(context, parts.length, pcm, blobs);
  const textEnd = plan[spoken.samples.length - 1]?.textEnd ?? 0;
  spoken.checkpoint = {
    ...spoken.checkpoint,
    parts: [...parts, { ...part, sentences, textEnd }],
    computeMs: computeMs(),
  };
  await context.checkpointNow(spoken.checkpoint);
  context.log.debug({ part: parts.length, sentences: sentences.length, samples: part.samples }, 'a group was spoken');
}

async function store(
  blobs: SpeakDeps['blobs'],
  { stream, bytes }: { stream: Readable; bytes: number },
  { key: blobKey, signal }: { key: string; signal: AbortSignal },
): Promise<{ blobKey: string; bytes: number }> {
  const file = await blobs.receive(stream, { maxBytes: bytes, signal });
  await blobs.commit(file, blobKey);
  return { blobKey, bytes };
}

function engineFor(engines: TtsEngine[], { model }: SpeechTask): TtsEngine {
  const engine = engines.find((candidate) => candidate.model === model);
  if (engine) return engine;
  const served = engines.map((candidate) => candidate.model).join(', ');
  throw new TtsServiceError(`Model ${model} is not served any more; this installation has ${served}.`, {
    code: 'TTS_ENGINE_REJECTED',
    param: 'model',
  });
}
