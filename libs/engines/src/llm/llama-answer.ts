import { randomInt } from 'node:crypto';
import type { ChatMessage } from '@aigolos/contracts';
import type { LlamaContextSequence, SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import type { Slots } from '../slots.ts';
import { type Evaluation, startEvaluation } from './llama-evaluation.ts';
import type { LoadedLlama } from './llama-model.ts';
import { type LlamaPrompt, renderPrompt } from './llama-prompt.ts';
import type { LlmAnswer, LlmOptions } from './llm-engine.ts';
import { createStopFilter } from './stop-filter.ts';
import { createTokenText } from './token-text.ts';

export interface AnswerParts extends Pick<LoadedLlama, 'model' | 'format' | 'contextTokens'> {
  slots: Slots<LlamaContextSequence>;
  /** Where a call says nothing. */
  defaults: { temperature: number; maxTokens: number };
}

/** Small models repeat themselves without end; this is llama.cpp's usual guard against it. */
const REPEAT_PENALTY = 1.1;
const REPEAT_PENALTY_TOKENS = 64;

/** Answers one call on one sequence, which it borrows for as long as that takes. */
export async function* answerCall(
  parts: AnswerParts,
  messages: readonly ChatMessage[],
  options: LlmOptions,
  signal: AbortSignal,
): AsyncGenerator<string, LlmAnswer> {
  const prompt = await renderPrompt(parts.model, parts.format, messages, parts.contextTokens);
  const sequence = await parts.slots.acquire(
    signal,
    (slot) => slot.compareContextTokens(prompt.tokens).firstDifferentIndex,
  );
  const answer: Token[] = [];
  const evaluation = startEvaluation({
    sequence,
    prompt: prompt.tokens,
    sampling: samplingOf(parts, options, answer),
    // Evaluating a prompt in other portions changes the last digits; who gives a seed wants the same answer again.
    fresh: options.seed !== undefined,
    signal,
  });
  let released = false;
  const release = () => {
    if (released) return;
    released = true;
    void evaluation.stop().finally(() => parts.slots.release(sequence));
  };
  // Also where nobody asks for the next piece any more.
  signal.addEventListener('abort', release, { once: true });
  try {
    const maxTokens = Math.min(
      options.maxTokens ?? parts.defaults.maxTokens,
      parts.contextTokens - prompt.tokens.length,
    );
    return yield* readAnswer({ parts, prompt, evaluation, answer, stops: options.stop, maxTokens });
  } finally {
    signal.removeEventListener('abort', release);
    release();
  }
}

interface Reading {
  parts: AnswerParts;
  prompt: LlamaPrompt;
  evaluation: Evaluation;
  /** The tokens so far; the repeat penalty looks at them too. */
  answer: Token[];
  stops: readonly string[];
  maxTokens: number;
}

async function* readAnswer(reading: Reading): AsyncGenerator<string, LlmAnswer> {
  const { parts, prompt, evaluation, answer, maxTokens } = reading;
  const text = createTokenText((tokens, special, last) => parts.model.detokenize(tokens, special, last));
  const stop = createStopFilter([...reading.stops, ...prompt.stops]);
  let begun = false;
  const trimmed = (piece: string) => {
    // Space before the first word belongs to the prompt's format, not to the answer.
    const shown = begun ? piece : piece.trimStart();
    begun ||= shown !== '';
    return shown;
  };
  let limited = false;
  for await (const token of evaluation.tokens) {
    if (prompt.stopTokens.has(token)) break;
    answer.push(token);
    const piece = trimmed(stop.push(text.push(token)));
    if (piece !== '') yield piece;
    limited = answer.length >= maxTokens;
    if (stop.stopped || limited) break;
  }
  const rest = trimmed(stop.push(text.end()) + stop.end());
  if (rest !== '') yield rest;
  return {
    finishReason: limited && !stop.stopped ? 'length' : 'stop',
    promptTokens: prompt.tokens.length,
    completionTokens: answer.length,
    warnings: [],
  };
}

function samplingOf(parts: AnswerParts, options: LlmOptions, answer: Token[]): SequenceEvaluateOptions {
  const newLine = parts.model.tokens.nl;
  return {
    temperature: options.temperature ?? parts.defaults.temperature,
    ...(options.topP === undefined ? {} : { topP: options.topP }),
    // The sampler takes 32 bits; without a seed of ours all calls of one second would get the same.
    seed: options.seed === undefined ? randomInt(2 ** 32) : options.seed >>> 0,
    repeatPenalty: {
      penalty: REPEAT_PENALTY,
      maxPunishTokens: REPEAT_PENALTY_TOKENS,
      punishTokens: () => answer.slice(-REPEAT_PENALTY_TOKENS).filter((token) => token !== newLine),
    },
  };
}
