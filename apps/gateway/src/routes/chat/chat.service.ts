import {
  type ChatCompletionRequest,
  ChatCompletionRequestSchema,
  type ChatTask,
  chatContentText,
  NotFoundError,
} from '@aigolos/contracts';
import type { Database, JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { checkOptions } from '../../answers/unsupported-options.ts';
import type { ModelDirectory } from '../../catalogue/model-directory.ts';

export interface ChatDeps {
  jobs: Jobs;
  models: ModelDirectory;
  conversations: Pick<Database['conversations'], 'create' | 'findOwned'>;
}

export interface Chat {
  /** Begins a turn. @throws where the model or the conversation is not known. */
  submit(account: string, request: ChatCompletionRequest, options: SubmissionOptions): Promise<JobRecord<'chat'>>;
}

/** What would make the answer another one than the client reads. */
const REFUSED = {
  tools: 'are not supported yet',
  functions: 'are not supported',
  logprobs: 'are not supported',
  audio: 'is not supported: the answer is text, which POST /v1/audio/speech speaks',
};

export function createChat({ jobs, models, conversations }: ChatDeps): Chat {
  async function conversationOf(account: string, wanted: string | undefined): Promise<string | undefined> {
    if (wanted === undefined) return undefined;
    if (wanted === 'new') return (await conversations.create(account))._id;
    if (await conversations.findOwned(account, wanted)) return wanted;
    throw new NotFoundError(`There is no conversation ${wanted}; send "new" to begin one.`, {
      code: 'CONVERSATION_NOT_FOUND',
      param: 'conversation',
    });
  }

  return {
    async submit(account, request, options) {
      const warnings = checkOptions(request, { known: ChatCompletionRequestSchema.shape, refused: REFUSED });
      const { model } = await models.find('llm', request.model);
      const conversation = await conversationOf(account, conversationName(request));
      const retention = { ...options.retention, ...request.retention };
      const task = toTask(model.id, conversation, request);
      return jobs.submit({ kind: 'chat', account, task, warnings, ...options, retention });
    },
  };
}

function conversationName({ conversation }: ChatCompletionRequest): string | undefined {
  return typeof conversation === 'object' ? conversation?.id : conversation;
}

function toTask(model: string, conversation: string | undefined, request: ChatCompletionRequest): ChatTask {
  const { max_completion_tokens, max_tokens, temperature, top_p, stop, seed } = request;
  const maxTokens = max_completion_tokens ?? max_tokens ?? undefined;
  return {
    model,
    messages: request.messages.map(({ role, content }) => ({
      role: role === 'developer' ? 'system' : role,
      content: chatContentText(content),
    })),
    stop: typeof stop === 'string' ? [stop] : (stop ?? []),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(typeof temperature === 'number' && { temperature }),
    ...(typeof top_p === 'number' && { topP: top_p }),
    ...(typeof seed === 'number' && { seed }),
    ...(conversation !== undefined && { conversation }),
  };
}
