import {
  type ChatCompletionRequest,
  ChatCompletionRequestSchema,
  type ChatMessage,
  type ChatRequestMessage,
  type ChatTask,
  chatContentText,
} from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import type { Jobs, Submitted } from '@aigolos/jobs';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { submitOnce } from '../../answers/submit-once.ts';
import { checkOptions } from '../../answers/unsupported-options.ts';
import type { ModelDirectory } from '../../catalogue/model-directory.ts';
import { assertConversation } from '../conversations/assert-conversation.ts';
import { assertKnowsTools, conversationName, schemaFormat, toolFields } from './answer-terms.ts';

export interface ChatDeps {
  jobs: Jobs;
  models: ModelDirectory;
  conversations: Pick<Database['conversations'], 'findOwned'>;
}

export interface Chat {
  /** Begins a turn. @throws where the model or the conversation is not known. */
  submit(account: string, request: ChatCompletionRequest, options: SubmissionOptions): Promise<Submitted<'chat'>>;
}

/** What would make the answer another one than the client reads. */
const REFUSED = {
  functions: 'are not supported: send tools',
  function_call: 'is not supported: send tool_choice',
  logprobs: 'are not supported',
  audio: 'is not supported: the answer is text, which POST /v1/audio/speech speaks',
};

export function createChat({ jobs, models, conversations }: ChatDeps): Chat {
  return {
    async submit(account, request, options) {
      const parts = {
        'messages.name': request.messages.some((message) => message.role !== 'tool' && message.name !== undefined),
        'stream_options.include_obfuscation': request.stream_options?.include_obfuscation,
      };
      const warnings = checkOptions(
        { ...request, ...parts },
        { known: ChatCompletionRequestSchema.shape, refused: REFUSED },
      );
      const { retention, metadata } = request;
      const asked = { kind: 'chat', account, body: request, said: { retention, metadata }, options } as const;
      return submitOnce(jobs, asked, async () => {
        const { model } = await models.find('llm', request.model);
        if (request.tools?.length) assertKnowsTools(model);
        const conversation = conversationName(request.conversation);
        await assertConversation(conversations, account, conversation);
        return { task: toTask(model.id, conversation, request), warnings };
      });
    },
  };
}

function toTask(model: string, conversation: string | undefined, request: ChatCompletionRequest): ChatTask {
  const { max_completion_tokens, max_tokens, temperature, top_p, stop, seed } = request;
  const { response_format: format, tools, tool_choice: choice, parallel_tool_calls: parallel } = request;
  const maxTokens = max_completion_tokens ?? max_tokens ?? undefined;
  return {
    model,
    messages: request.messages.map(toMessage),
    stop: typeof stop === 'string' ? [stop] : (stop ?? []),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(typeof temperature === 'number' && { temperature }),
    ...(typeof top_p === 'number' && { topP: top_p }),
    ...(typeof seed === 'number' && { seed }),
    ...(format?.type === 'json_object' && { format: { type: format.type } }),
    ...(format?.type === 'json_schema' && { format: schemaFormat(format.json_schema) }),
    ...toolFields({
      offers: (tools ?? []).map((tool) => tool.function),
      choice: typeof choice === 'object' ? choice?.function : choice,
      parallel,
    }),
    ...(conversation !== undefined && { conversation }),
    ...(request.store && { store: true }),
  };
}

function toMessage(message: ChatRequestMessage): ChatMessage {
  const content = chatContentText(message.content);
  switch (message.role) {
    case 'tool':
      return { role: 'tool', content, toolCallId: message.tool_call_id };
    case 'assistant': {
      const calls = message.tool_calls?.map(({ id, function: { name, arguments: given } }) => ({
        id,
        name,
        arguments: given,
      }));
      return { role: 'assistant', content, ...(calls && { toolCalls: calls }) };
    }
    case 'developer':
      return { role: 'system', content };
    case 'system':
    case 'user':
      return { role: message.role, content };
  }
}
