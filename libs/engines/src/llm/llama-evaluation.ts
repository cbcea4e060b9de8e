import type { LlamaContextSequence, SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import { abortable } from '../abortable.ts';

/** Prompt tokens evaluated at once, about 0.3 s of a small model on two cores: an abort waits for one such slice. */
export const PROMPT_SLICE_TOKENS = 64;

export interface EvaluationOptions {
  sequence: LlamaContextSequence;
  /** At least one token. */
  prompt: readonly Token[];
  sampling: SequenceEvaluateOptions;
  /** Evaluates the whole prompt again, though the sequence may know its beginning from the turn before. */
  fresh: boolean;
  signal: AbortSignal;
}

export interface Evaluation {
  /** Tokens that continue the prompt until the model ends. Throws `signal.reason` at once when that is aborted. */
  tokens: AsyncGenerator<Token, void>;
  /** Ends it; resolves when nothing touches the sequence any more, so that another may use it. */
  stop(): Promise<void>;
}

export function startEvaluation({ sequence, prompt, sampling, fresh, signal }: EvaluationOptions): Evaluation {
  let running: Promise<unknown> = Promise.resolve();
  let failed = false;
  let answer: AsyncGenerator<Token, void> | undefined;
  const step = <T>(work: Promise<T>): Promise<T> => {
    running = work.catch(() => {
      failed = true;
    });
    return abortable(work, signal);
  };

  async function* evaluate(): AsyncGenerator<Token, void> {
    const last = prompt.length - 1;
    signal.throwIfAborted();
    await step(fresh ? sequence.clearHistory() : sequence.adaptStateToTokens(prompt.slice(0, last), false));
    for (let at = sequence.nextTokenIndex; at < last; at = sequence.nextTokenIndex) {
      signal.throwIfAborted();
      const slice = prompt.slice(at, Math.min(at + PROMPT_SLICE_TOKENS, last));
      await step(sequence.evaluateWithoutGeneratingNewTokens(slice));
    }
    signal.throwIfAborted();
    answer = sequence.evaluate(prompt.slice(last), sampling);
    for (let next = await step(answer.next()); !next.done; next = await step(answer.next())) {
      yield next.value;
      signal.throwIfAborted();
    }
  }

  return {
    tokens: evaluate(),
    async stop() {
      await running;
      await answer?.return();
      // After an error nobody knows what the sequence holds.
      if (failed && !sequence.disposed) await sequence.clearHistory().catch(() => {});
    },
  };
}
