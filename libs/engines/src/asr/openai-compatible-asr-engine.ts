import type { OpenAI } from 'openai';
import { z } from 'zod';
import { createUpstreamClient, type UpstreamOptions, upstreamFailure } from '../openai/upstream.ts';
import {
  ASR_SAMPLE_RATE_HZ,
  type AsrEngine,
  type AsrOptions,
  type AsrTranscript,
  UNKNOWN_LANGUAGE,
} from './asr-engine.ts';
import { asrFailed, asrRejected } from './asr-error.ts';
import { languageCode, withoutRegion } from './language-code.ts';
import { orderTranscript, type RawSegment } from './transcript.ts';
import { encodeWav } from './wav.ts';

export interface OpenAICompatibleAsrOptions extends UpstreamOptions {
  /** The id that this engine has here. */
  model: string;
  /** The name that the server knows it by. */
  upstreamModel: string;
}

/** Servers refuse audio that is shorter than this, and no word fits into it. */
const SHORTEST_SECONDS = 0.1;

/** Sends the sound as WAV to a server that speaks OpenAI's transcriptions and translations (`verbose_json`). */
export async function createOpenAICompatibleAsrEngine(options: OpenAICompatibleAsrOptions): Promise<AsrEngine> {
  const client = await createUpstreamClient(options);
  const closing = new AbortController();
  return {
    model: options.model,
    async transcribe(samples, call, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      either.throwIfAborted();
      const durationSeconds = samples.length / ASR_SAMPLE_RATE_HZ;
      if (durationSeconds < SHORTEST_SECONDS) return toTranscript({ text: '' }, call, durationSeconds);
      try {
        const file = new File([await encodeWav(samples, ASR_SAMPLE_RATE_HZ)], 'audio.wav', { type: 'audio/wav' });
        const answer: unknown =
          call.task === 'translate'
            ? await client.audio.translations.create(
                { ...commonFields(options.upstreamModel, file, call), response_format: 'verbose_json' },
                { signal: either },
              )
            : await client.audio.transcriptions.create(toRequest(options.upstreamModel, file, call), {
                signal: either,
              });
        return toTranscript(AnswerSchema.parse(answer), call, durationSeconds);
      } catch (error) {
        either.throwIfAborted();
        const { kind, message } = await upstreamFailure(error);
        throw kind === 'failed' ? asrFailed(message, error) : asrRejected(message, { cause: error });
      }
    },
    async close() {
      closing.abort(asrFailed('The speech recogniser was stopped.'));
    },
  };
}

function toRequest(
  model: string,
  file: File,
  call: AsrOptions,
): OpenAI.Audio.TranscriptionCreateParamsNonStreaming<'verbose_json'> {
  return {
    ...commonFields(model, file, call),
    response_format: 'verbose_json',
    timestamp_granularities: call.wordTimestamps ? ['segment', 'word'] : ['segment'],
    ...(call.language === undefined ? {} : { language: withoutRegion(call.language) }),
  };
}

/** What transcriptions and translations both take. */
function commonFields(model: string, file: File, { prompt, temperature }: AsrOptions) {
  return {
    model,
    file,
    ...(prompt === undefined ? {} : { prompt }),
    ...(temperature === undefined ? {} : { temperature }),
  };
}

const numberOr = (fallback: number) =>
  z
    .number()
    .nullish()
    .transform((value) => value ?? fallback);

/** What servers have in common; the rest is filled in, because most leave something out. */
const AnswerSchema = z.object({
  text: z.string(),
  language: z.string().nullish(),
  segments: z
    .array(
      z.object({
        seek: numberOr(0).transform(Math.trunc),
        start: z.number(),
        end: z.number(),
        text: z.string(),
        tokens: z
          .array(z.number().int())
          .nullish()
          .transform((tokens) => tokens ?? []),
        temperature: numberOr(0),
        avg_logprob: numberOr(0),
        compression_ratio: numberOr(0),
        no_speech_prob: numberOr(0),
      }),
    )
    .nullish(),
  words: z.array(z.object({ word: z.string(), start: z.number(), end: z.number() })).nullish(),
});
type Answer = z.infer<typeof AnswerSchema>;

function toTranscript(answer: Answer, call: AsrOptions, durationSeconds: number): AsrTranscript {
  const text = answer.text.trim();
  const words = answer.words ?? [];
  // Of a translation the server names the language of its answer.
  const spoken = call.task === 'translate' ? '' : answer.language;
  const segments = answer.segments ?? (text === '' ? [] : [wholeSegment(text, durationSeconds)]);
  const spaced = withSpaces(segments, text);
  const raw = spaced.map((segment, index) => ({
    ...segment,
    words: words.filter(({ start }) => segmentAt(spaced, start) === index),
  }));
  return {
    language: languageCode(call.language ?? (spoken || UNKNOWN_LANGUAGE)),
    ...orderTranscript(raw, durationSeconds),
    warnings: [
      ...(text !== '' && !answer.segments ? ['The upstream server gives no times of segments.'] : []),
      ...(text !== '' && call.wordTimestamps && words.length === 0
        ? ['The upstream server gives no times of words.']
        : []),
    ],
  };
}

type UpstreamSegment = Omit<RawSegment, 'words'>;

function wholeSegment(text: string, durationSeconds: number): UpstreamSegment {
  const unknown = { seek: 0, tokens: [], temperature: 0, avg_logprob: 0, compression_ratio: 0, no_speech_prob: 0 };
  return { ...unknown, start: 0, end: durationSeconds, text };
}

/** Some servers trim the texts of segments. The whole text tells whether spaces stood between them. */
function withSpaces(segments: UpstreamSegment[], text: string): UpstreamSegment[] {
  const joined = segments.map((segment) => segment.text).join('');
  const trimmed = joined.trim() !== text && segments.every((segment) => !/^\s/.test(segment.text));
  return trimmed ? segments.map((segment) => ({ ...segment, text: ` ${segment.text}` })) : segments;
}

/** The last segment that has begun by then, else the first. */
function segmentAt(segments: UpstreamSegment[], seconds: number): number {
  return Math.max(
    0,
    segments.findLastIndex(({ start }) => start <= seconds),
  );
}
