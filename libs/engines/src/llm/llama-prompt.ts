import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ChatMessage, LlmServiceError } from '@aigolos/contracts';
import type { ChatHistoryItem, ChatWrapper, LlamaModel, Token } from 'node-llama-cpp';
import { PLAIN_PROMPT_STOPS, plainPrompt } from './plain-prompt.ts';

/** A conversation as the model reads it, and what ends its answer. */
export interface LlamaPrompt {
  tokens: Token[];
  stopTokens: Set<Token>;
  stops: string[];
}

/** Tokenizing is synchronous, about 2.5 MB a second: slices of this size keep the event loop free. */
const SLICE_CHARACTERS = 8_000;

/**
 * Writes a conversation in the model's own chat format, or as a plain prompt where it has none (`format` undefined).
 * @throws LlmServiceError (`LLM_CONTEXT_EXCEEDED`) when no room is left for an answer; found early for texts that are
 *   far too long, so that they cost no more than those which just fit.
 */
export async function renderPrompt(
  model: LlamaModel,
  format: ChatWrapper | undefined,
  messages: readonly ChatMessage[],
  contextTokens: number,
): Promise<LlamaPrompt> {
  await refuseFarTooLong(model, messages, contextTokens);
  const prompt = format === undefined ? renderPlain(model, messages) : renderChat(model, format, messages);
  if (prompt.tokens.length >= contextTokens) throw contextExceeded(String(prompt.tokens.length), contextTokens);
  return prompt;
}

function renderPlain(model: LlamaModel, messages: readonly ChatMessage[]): LlamaPrompt {
  const text = model.tokenize(plainPrompt(messages));
  const { bos, shouldPrependBosToken } = model.tokens;
  const tokens = shouldPrependBosToken && bos !== null ? [bos, ...text] : text;
  return { tokens, stopTokens: new Set(), stops: [...PLAIN_PROMPT_STOPS] };
}

function renderChat(model: LlamaModel, format: ChatWrapper, messages: readonly ChatMessage[]): LlamaPrompt {
  const chatHistory: ChatHistoryItem[] = [...messages.map(toHistoryItem), { type: 'model', response: [] }];
  const { contextText, stopGenerationTriggers } = format.generateContextState({ chatHistory });
  const prompt: LlamaPrompt = { tokens: contextText.tokenize(model.tokenizer), stopTokens: new Set(), stops: [] };
  // A model whose turns begin with its BOS token gets it twice: once as BOS, once as the beginning of the turn.
  const { bos } = model.tokens;
  if (bos !== null && prompt.tokens[0] === bos && prompt.tokens[1] === bos) prompt.tokens.shift();
  for (const trigger of stopGenerationTriggers) {
    const [token, ...more] = trigger.tokenize(model.tokenizer);
    if (token !== undefined && more.length === 0) prompt.stopTokens.add(token);
    else prompt.stops.push(trigger.toString());
  }
  return prompt;
}

function toHistoryItem(message: ChatMessage): ChatHistoryItem {
  switch (message.role) {
    case 'assistant':
      return { type: 'model', response: [message.content] };
    case 'system':
      return { type: 'system', text: message.content };
    case 'user':
    case 'tool':
      return { type: 'user', text: message.content };
  }
}

async function refuseFarTooLong(
  model: LlamaModel,
  messages: readonly ChatMessage[],
  contextTokens: number,
): Promise<void> {
  let tokens = 0;
  for (const { content } of messages) {
    for (let at = 0; at < content.length; at += SLICE_CHARACTERS) {
      // A cut through a word makes a token or two more than the whole would have.
      tokens += Math.max(0, model.tokenize(content.slice(at, at + SLICE_CHARACTERS)).length - 2);
      if (tokens >= contextTokens) throw contextExceeded(`more than ${contextTokens}`, contextTokens);
      if (content.length > SLICE_CHARACTERS) await nextTurn();
    }
  }
}

function contextExceeded(has: string, contextTokens: number): LlmServiceError {
  return new LlmServiceError(
    `The messages have ${has} tokens, but the model reads ${contextTokens} with its answer. Send fewer or shorter messages.`,
    { code: 'LLM_CONTEXT_EXCEEDED', param: 'messages' },
  );
}
