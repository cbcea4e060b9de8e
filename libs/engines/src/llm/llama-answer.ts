import type { ChatMessage, ToolCall } from '@aigolos/contracts';
import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import type { Slots } from '../slots.ts';
import { type Evaluation, startEvaluation } from './llama-evaluation.ts';
import { callGrammar, formatGrammar, GRAMMAR_END } from './llama-grammar.ts';
import type { LoadedLlama } from './llama-model.ts';
import { type LlamaPrompt, renderPrompt } from './llama-prompt.ts';
import { samplingOf } from './llama-sampling.ts';
import type { LlmAnswer, LlmOptions } from './llm-engine.ts';
import { createStopFilter } from './stop-filter.ts';
import { createTokenText } from './token-text.ts';
import { newCallId, rejectFormatWithTools } from './tool-call.ts';
import { CALL_BEGINS, CALL_MARK, withInstruction, withTools } from './tool-prompt.ts';

export interface AnswerParts extends Pick<LoadedLlama, 'model' | 'format' | 'contextTokens'> {
  slots: Slots<LlamaContextSequence>;
  /** Where a call says nothing. */
  defaults: { temperature: number; maxTokens: number };
}

/** Answers one call on one sequence, which it borrows for as long as that takes. */
export async function* answerCall(
  parts: AnswerParts,
  messages: readonly ChatMessage[],
  options: LlmOptions,
  signal: AbortSignal,
): AsyncGenerator<string, LlmAnswer> {
  const { tools = [], toolChoice = 'auto', format } = options;
  if (tools.length > 0 && format) rejectFormatWithTools();
  // Before anything is read: what it cannot be held to is refused.
  const held = format && (await formatGrammar(parts.model, format));
  const call = tools.length > 0 ? await callGrammar(parts.model, tools, toolChoice) : undefined;
  const prompt = await renderPrompt(parts.model, parts.format, writtenOut(messages, options), parts.contextTokens);
  const sequence = await parts.slots.acquire(
    signal,
    (slot) => slot.compareContextTokens(prompt.tokens).firstDifferentIndex,
  );
  let evaluation: Evaluation | undefined;
  const evaluate: Reading['evaluate'] = (tokens, sampling) => {
    // Evaluating a prompt in other portions changes the last digits; who gives a seed wants the same answer again.
    const fresh = options.seed !== undefined && evaluation === undefined;
    evaluation = startEvaluation({ sequence, prompt: tokens, sampling, fresh, signal });
    return evaluation;
  };
  let released = false;
  const release = () => {
    if (released) return;
    released = true;
    void (evaluation?.stop() ?? Promise.resolve()).finally(() => parts.slots.release(sequence));
  };
  // Also where nobody asks for the next piece any more.
  signal.addEventListener('abort', release, { once: true });
  try {
    const limit = Math.min(options.maxTokens ?? parts.defaults.maxTokens, parts.contextTokens - prompt.tokens.length);
    const reading: Reading = { parts, prompt, options, evaluate };
    if (!call) return toAnswer(reading, yield* readText(reading, { grammar: held, stops: options.stop, limit }));
    if (toolChoice !== 'auto') return toAnswer(reading, await readCall(reading, { grammar: call, said: '', limit }));
    const said = yield* readText(reading, { stops: [...options.stop, CALL_MARK], limit });
    if (said.stoppedBy !== CALL_MARK) return toAnswer(reading, said);
    await evaluation?.stop();
    const called = await readCall(reading, { grammar: call, said: said.text, limit: limit - said.tokens });
    return toAnswer(reading, { ...called, tokens: said.tokens + called.tokens });
  } finally {
    signal.removeEventListener('abort', release);
    release();
  }
}

type Grammar = Awaited<ReturnType<typeof formatGrammar>>;

interface Reading {
  parts: AnswerParts;
  prompt: LlamaPrompt;
  options: LlmOptions;
  evaluate: (tokens: readonly Token[], sampling: ReturnType<typeof samplingOf>) => Evaluation;
}

/** What was read of an answer. */
interface Read {
  text: string;
  tokens: number;
  limited: boolean;
  stoppedBy?: string | undefined;
  toolCalls?: ToolCall[];
}

/** The messages as the model's format can have them: as texts, with what the model has to know of tools and schema. */
function writtenOut(messages: readonly ChatMessage[], { tools = [], toolChoice, format }: LlmOptions): ChatMessage[] {
  const texts = withTools(messages, tools, toolChoice);
  if (format?.type !== 'json_schema') return texts;
  return withInstruction(texts, `Answer with JSON that fits this JSON schema:\n${format.schema}`);
}

/** Reads until the model ends, or a stop string or the limit does. */
async function* readText(
  { parts, prompt, options, evaluate }: Reading,
  { grammar, stops, limit, after }: { grammar?: Grammar | undefined; stops: string[]; limit: number; after?: string },
): AsyncGenerator<string, Read> {
  const answer: Token[] = [];
  const begun = after === undefined ? prompt.tokens : [...prompt.tokens, ...parts.model.tokenize(after)];
  const evaluation = evaluate(begun, samplingOf(parts, options, { answer, grammar }));
  const text = createTokenText((tokens, special, last) => parts.model.detokenize(tokens, special, last));
  const stop = createStopFilter([...stops, ...(grammar ? [GRAMMAR_END] : prompt.stops)]);
  let said = '';
  const trimmed = (piece: string) => {
    // Space before the first word belongs to the prompt's format, not to the answer.
    const shown = said === '' ? piece.trimStart() : piece;
    said += shown;
    return shown;
  };
  let limited = limit <= 0;
  if (!limited) {
    for await (const token of evaluation.tokens) {
      if (prompt.stopTokens.has(token)) break;
      answer.push(token);
      const piece = trimmed(stop.push(text.push(token)));
      if (piece !== '') yield piece;
      limited = answer.length >= limit;
      if (stop.stopped || limited) break;
    }
  }
  const rest = trimmed(stop.push(text.end()) + stop.end());
  if (rest !== '') yield rest;
  return { text: said, tokens: answer.length, limited: limited && !stop.stopped, stoppedBy: stop.stoppedBy };
}

/** Reads one call, which the grammar holds to be one. A call that the limit cuts off is none. */
async function readCall(
  reading: Reading,
  { grammar, said, limit }: { grammar: Grammar; said: string; limit: number },
): Promise<Read> {
  const pieces = readText(reading, { grammar, stops: [], limit, after: `${said}${CALL_BEGINS}` });
  let next = await pieces.next();
  while (!next.done) next = await pieces.next();
  const { text, tokens, limited } = next.value;
  if (limited) return { text: said, tokens, limited };
  const { name, arguments: given } = JSON.parse(text) as { name: string; arguments: object };
  const toolCalls = [{ id: newCallId(), name, arguments: JSON.stringify(given) }];
  return { text: said, tokens, limited, toolCalls };
}

function toAnswer({ prompt }: Reading, { tokens, limited, toolCalls }: Read): LlmAnswer {
  return {
    finishReason: toolCalls ? 'tool_calls' : limited ? 'length' : 'stop',
    promptTokens: prompt.tokens.length,
    completionTokens: tokens,
    ...(toolCalls && { toolCalls }),
    warnings: [],
  };
}
