import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type ChatMessage, type ChatTool, LlmServiceError, type ToolCall } from '@aigolos/contracts';
import { directiveIn, obey } from '../test-engine/directives.ts';
import { exampleOf } from './example-value.ts';
import { readSchema } from './held-schema.ts';
import type { LlmEngine, LlmOptions } from './llm-engine.ts';
import { createStopFilter } from './stop-filter.ts';
import { newCallId, rejectFormatWithTools } from './tool-call.ts';

export interface TestLlmOptions {
  /** The id that it has; `test-llm` unless said. */
  model?: string | undefined;
  /** Time for each token (a word with the space after it). */
  paceMsPerToken?: number | undefined;
}

/**
 * An engine whose answer follows from its input, for tests of everything around it. It answers
 * `echo(<number of messages>): <last message>`. The last message can say otherwise: the directives of all test engines
 * (`[[fail]]`, `[[hang]]`, …), `[[messages]]` to be answered with the messages as JSON, `[[words 200]]` to be answered
 * with as many words (`word1 word2 …`), and `[[call name]]` to have that tool called, or `[[call a, b]]` both. An answer in
 * JSON, and what a tool is called with, is an example of its schema.
 */
export function createTestLlmEngine({ model = 'test-llm', paceMsPerToken = 0 }: TestLlmOptions = {}): LlmEngine {
  const closing = new AbortController();
  return {
    model,
    tools: true,
    async *generate(messages, options, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      try {
        either.throwIfAborted();
        await obey(directiveIn(lastOf(messages)), either, toDirectedError);
        const stop = createStopFilter(options.stop);
        let completionTokens = 0;
        let limited = false;
        const toolCalls = callsFor(messages, options);
        for (const token of toolCalls.length > 0 ? [] : tokensOf(answerTo(messages, options))) {
          limited = completionTokens === options.maxTokens;
          if (limited || stop.stopped) break;
          completionTokens += 1;
          if (paceMsPerToken > 0) await sleep(paceMsPerToken, undefined, { signal: either });
          else if (completionTokens % 100 === 0) await nextTurn();
          either.throwIfAborted();
          const text = stop.push(token);
          if (text !== '') yield text;
        }
        const rest = stop.end();
        if (rest !== '') yield rest;
        const promptTokens = messages.flatMap((message) => tokensOf(message.content)).length;
        const usage = { promptTokens, completionTokens, warnings: warningsAbout(options) };
        if (toolCalls.length > 0) return { finishReason: 'tool_calls', toolCalls, ...usage };
        return { finishReason: limited ? 'length' : 'stop', ...usage };
      } catch (error) {
        either.throwIfAborted();
        throw error;
      }
    },
    async close() {
      closing.abort(toDirectedError('The test engine was stopped.', true));
    },
  };
}

function answerTo(messages: readonly ChatMessage[], { format }: LlmOptions): string {
  const last = lastOf(messages);
  if (format?.type === 'json_object') return JSON.stringify({ echo: last });
  if (format) return exampleAsJson(format.schema, { name: format.name, param: 'response_format', text: last });
  if (last.includes('[[messages]]')) return JSON.stringify(messages);
  const words = /\[\[words (\d{1,5})\]\]/.exec(last)?.[1];
  if (words !== undefined) return Array.from({ length: Number(words) }, (_, index) => `word${index + 1}`).join(' ');
  return `echo(${messages.length}): ${last}`;
}

function callsFor(
  messages: readonly ChatMessage[],
  { tools = [], toolChoice = 'auto', format }: LlmOptions,
): ToolCall[] {
  if (tools.length > 0 && format) rejectFormatWithTools();
  const last = lastOf(messages);
  const asked = /\[\[call ([\w, -]+)\]\]/.exec(last)?.[1]?.split(/,\s*/) ?? [];
  const wanted = tools.filter(({ name }) => asked.includes(name));
  const first = wanted.length > 0 ? wanted : tools.slice(0, 1);
  const called =
    toolChoice === 'auto'
      ? wanted
      : toolChoice === 'required'
        ? first
        : tools.filter(({ name }) => name === toolChoice.name);
  return called.map(({ name, parameters }: ChatTool) => ({
    id: newCallId(),
    name,
    arguments: exampleAsJson(parameters, { name: `tool "${name}"`, param: 'tools', text: last }),
  }));
}

function exampleAsJson(schema: string, { text, ...of }: { name: string; param: string; text: string }): string {
  return JSON.stringify(exampleOf(readSchema(schema, of), text));
}

function lastOf(messages: readonly ChatMessage[]): string {
  return messages.at(-1)?.content ?? '';
}

/** Words, each with the space after it. */
function tokensOf(text: string): string[] {
  return text.match(/\s*\S+\s*|\s+$/gu) ?? [];
}

function warningsAbout(options: LlmOptions): string[] {
  return (['temperature', 'topP', 'seed'] as const)
    .filter((name) => options[name] !== undefined)
    .map((name) => `The test engine ignores ${name}.`);
}

function toDirectedError(message: string, retryable: boolean): LlmServiceError {
  return new LlmServiceError(message, { code: retryable ? 'LLM_ENGINE_FAILED' : 'LLM_ENGINE_REJECTED', retryable });
}
