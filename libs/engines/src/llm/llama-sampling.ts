import { randomInt } from 'node:crypto';
import type { LlamaGrammarEvaluationState, SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import type { AnswerParts } from './llama-answer.ts';
import type { LlmOptions } from './llm-engine.ts';

/** Small models repeat themselves without end; this is llama.cpp's usual guard against it. */
const REPEAT_PENALTY = 1.1;
const REPEAT_PENALTY_TOKENS = 64;

/** How the next token is chosen. What a grammar asks for again and again, such as quotes, is not punished. */
export function samplingOf(
  parts: Pick<AnswerParts, 'model' | 'defaults'>,
  options: LlmOptions,
  { answer, grammar }: { answer: readonly Token[]; grammar: LlamaGrammarEvaluationState | undefined },
): SequenceEvaluateOptions {
  const newLine = parts.model.tokens.nl;
  return {
    temperature: options.temperature ?? parts.defaults.temperature,
    ...(options.topP === undefined ? {} : { topP: options.topP }),
    // The sampler takes 32 bits; without a seed of ours all calls of one second would get the same.
    seed: options.seed === undefined ? randomInt(2 ** 32) : options.seed >>> 0,
    ...(grammar
      ? { grammarEvaluationState: grammar }
      : {
          repeatPenalty: {
            penalty: REPEAT_PENALTY,
            maxPunishTokens: REPEAT_PENALTY_TOKENS,
            punishTokens: () => answer.slice(-REPEAT_PENALTY_TOKENS).filter((token) => token !== newLine),
          },
        }),
  };
}
