import {
  type ItemPageQuery,
  type ItemView,
  isFinal,
  NotFoundError,
  type ResponseRequest,
  ResponseRequestSchema,
  type ResponseTask,
  ValidationError,
} from '@aigolos/contracts';
import type { Database, JobRecord } from '@aigolos/db';
import type { Jobs, Submitted } from '@aigolos/jobs';
import { type Page, pageIn } from '../../answers/item-pages.ts';
import { toMessage } from '../../answers/items.ts';
import { inputOf } from '../../answers/response-view.ts';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { submitOnce } from '../../answers/submit-once.ts';
import { checkOptions } from '../../answers/unsupported-options.ts';
import type { ModelDirectory } from '../../catalogue/model-directory.ts';
import { assertKnowsTools, conversationName, schemaFormat, toolFields } from '../chat/answer-terms.ts';
import { assertConversation } from '../conversations/assert-conversation.ts';
import type { Erasure, Erasures } from '../erasures/erasures.service.ts';

export interface ResponsesDeps {
  jobs: Jobs;
  models: ModelDirectory;
  conversations: Pick<Database['conversations'], 'findOwned'>;
  erasures: Pick<Erasures, 'deleteJob'>;
}

/** Responses, whose clients find them again unless they asked for the contrary. @throws NotFoundError of all others. */
export interface Responses {
  submit(account: string, request: ResponseRequest, options: SubmissionOptions): Promise<Submitted<'response'>>;
  get(account: string, id: string): Promise<JobRecord<'response'>>;
  /** As it is once its worker has stopped, or after some seconds. */
  cancel(account: string, id: string): Promise<JobRecord<'response'>>;
  inputItems(account: string, id: string, page: ItemPageQuery): Promise<Page<ItemView>>;
  /** Erases it, as `DELETE /v1/jobs/{id}` does. */
  delete(account: string, id: string, until: AbortSignal): Promise<Erasure>;
}

/** What would make the answer another one than the client reads. */
const REFUSED = {
  prompt: 'is not supported: send instructions and input',
  messages: 'is a field of chat completions; send input',
  response_format: 'is a field of chat completions; send text.format',
  max_tokens: 'is a field of chat completions; send max_output_tokens',
};
const CANCEL_WAIT_MS = 5_000;

export function createResponses({ jobs, models, conversations, erasures }: ResponsesDeps): Responses {
  async function find(account: string, id: string, param = 'id'): Promise<JobRecord<'response'>> {
    const job = await jobs.get(account, id).catch((error: unknown) => {
      if (!(error instanceof NotFoundError)) throw error;
    });
    if (job?.kind === 'response' && job.task.store) return job;
    throw new NotFoundError(`There is no response ${id}.`, { code: 'JOB_NOT_FOUND', param });
  }

  async function assertAnswered(account: string, id: string): Promise<void> {
    const { status, result } = await find(account, id, 'previous_response_id');
    if (result) return;
    const what = isFinal(status) ? 'has no answer to go on from' : 'has not ended; wait for its end';
    throw new ValidationError(`Response ${id} is ${status}: it ${what}.`, { param: 'previous_response_id' });
  }

  return {
    async submit(account, request, options) {
      const parts = {
        'text.verbosity': request.text?.verbosity,
        'stream_options.include_obfuscation': request.stream_options?.include_obfuscation,
      };
      const asFlat = { ...request, ...parts };
      const warnings = checkOptions(asFlat, { known: ResponseRequestSchema.shape, refused: REFUSED });
      const { retention, metadata } = request;
      const asked = { kind: 'response', account, body: request, said: { retention, metadata }, options } as const;
      return submitOnce(jobs, asked, async () => {
        const { model } = await models.find('llm', request.model);
        if (request.tools?.length) assertKnowsTools(model);
        await assertConversation(conversations, account, conversationName(request.conversation));
        if (request.previous_response_id) await assertAnswered(account, request.previous_response_id);
        return { task: toTask(model.id, request), warnings };
      });
    },
    get: find,
    async cancel(account, id) {
      await find(account, id);
      await jobs.cancel(account, id);
      await jobs.waitForEnd(account, id, { timeoutMs: CANCEL_WAIT_MS });
      return find(account, id);
    },
    async inputItems(account, id, page) {
      return pageIn(inputOf(await find(account, id)), { ...page, order: page.order ?? 'desc' });
    },
    async delete(account, id, until) {
      await find(account, id);
      return erasures.deleteJob(account, id, until);
    },
  };
}

function toTask(model: string, request: ResponseRequest): ResponseTask {
  const { input, instructions, previous_response_id, max_output_tokens, temperature, top_p } = request;
  const { text, tools, tool_choice: choice, parallel_tool_calls: parallel } = request;
  const conversation = conversationName(request.conversation);
  const format = text?.format;
  return {
    model,
    messages: typeof input === 'string' ? [{ role: 'user', content: input }] : input.map(toMessage),
    stop: [],
    background: request.background ?? false,
    store: request.store ?? true,
    ...(instructions && { instructions }),
    ...(previous_response_id && { previousResponse: previous_response_id }),
    ...(conversation !== undefined && { conversation }),
    ...(typeof max_output_tokens === 'number' && { maxTokens: max_output_tokens }),
    ...(typeof temperature === 'number' && { temperature }),
    ...(typeof top_p === 'number' && { topP: top_p }),
    ...(format?.type === 'json_object' && { format: { type: format.type } }),
    ...(format?.type === 'json_schema' && { format: schemaFormat(format) }),
    ...toolFields({ offers: tools ?? [], choice, parallel }),
  };
}
