import {
  type ChatCompletionRequest,
  ChatCompletionRequestSchema,
  type ChatTask,
  chatContentText,
  NotFoundError,
} from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import type { Jobs, Submitted } from '@aigolos/jobs';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { submitOnce } from '../../answers/submit-once.ts';
import { checkOptions } from '../../answers/unsupported-options.ts';
import type { ModelDirectory } from '../../catalogue/model-directory.ts';

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
  tools: 'are not supported yet',
  functions: 'are not supported',
  logprobs: 'are not supported',
  audio: 'is not supported: the answer is text, which POST /v1/audio/speech speaks',
};

export function createChat({ jobs, models, conversations }: ChatDeps): Chat {
  async function checkConversation(account: string, wanted: string | undefined): Promise<void> {
    if (wanted === undefined || wanted === 'new' || (await conversations.findOwned(account, wanted))) return;
    throw new NotFoundError(`There is no conversation ${wanted}; send "new" to begin one.`, {
      code: 'CONVERSATION_NOT_FOUND',
      param: 'conversation',
    });
  }

  return {
    async submit(account, request, options) {
      const warnings = checkOptions(request, { known: ChatCompletionRequestSchema.shape, refused: REFUSED });
      const { retention, metadata } = request;
      const asked = { kind: 'chat', account, body: request, said: { retention, metadata }, options } as const;
      return submitOnce(jobs, asked, async () => {
        const { model } = await models.find('llm', request.model);
        const conversation = conversationName(request);
        await checkConversation(account, conversation);
        return { task: toTask(model.id, conversation, request), warnings };
      });
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
