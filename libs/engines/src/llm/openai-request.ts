import type { AnswerFormat, ChatMessage, ChatTool } from '@aigolos/contracts';
import type { OpenAI } from 'openai';
import type { LlmOptions } from './llm-engine.ts';

export type StreamRequest = OpenAI.ChatCompletionCreateParamsStreaming;

/** What is asked of a server, and no more than the call says. */
export function toUpstreamRequest(model: string, messages: readonly ChatMessage[], options: LlmOptions): StreamRequest {
  const { maxTokens, temperature, topP, seed, stop, format, tools = [], toolChoice, parallelToolCalls } = options;
  return {
    model,
    messages: messages.map(toMessage),
    stream: true,
    stream_options: { include_usage: true },
    // The older name of the limit is the one that every server knows.
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop.length === 0 ? {} : { stop }),
    ...(format && { response_format: toFormat(format) }),
    ...(tools.length > 0 && {
      tools: tools.map(toTool),
      ...(toolChoice !== undefined && {
        tool_choice:
          typeof toolChoice === 'string'
            ? toolChoice
            : { type: 'function' as const, function: { name: toolChoice.name } },
      }),
      ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
    }),
  };
}

function toMessage({ role, content, toolCalls, toolCallId = '' }: ChatMessage): OpenAI.ChatCompletionMessageParam {
  switch (role) {
    case 'tool':
      return { role, content, tool_call_id: toolCallId };
    case 'assistant': {
      if (!toolCalls) return { role, content };
      const calls = toolCalls.map(({ id, name, arguments: given }) => ({
        id,
        type: 'function' as const,
        function: { name, arguments: given },
      }));
      return { role, content: content === '' ? null : content, tool_calls: calls };
    }
    case 'system':
    case 'user':
      return { role, content };
  }
}

function toFormat(format: AnswerFormat): NonNullable<StreamRequest['response_format']> {
  if (format.type === 'json_object') return format;
  const schema = JSON.parse(format.schema) as Record<string, unknown>;
  return { type: 'json_schema', json_schema: { name: format.name, schema, strict: true } };
}

function toTool({ name, description, parameters }: ChatTool): OpenAI.ChatCompletionFunctionTool {
  const given = JSON.parse(parameters) as Record<string, unknown>;
  return {
    type: 'function',
    function: { name, ...(description !== undefined && { description }), parameters: given },
  };
}
