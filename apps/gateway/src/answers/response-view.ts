import { type ChatMessage, type ItemView, isFinal, type ResponseView } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { toItem } from './items.ts';
import { expiresAt, unixSeconds } from './job-view.ts';

type ResponseJob = JobRecord<'response'>;

/** A response as its owner sees it, whether or not it has ended. */
export function toResponse(job: ResponseJob): ResponseView {
  const { task, result, finishedAt } = job;
  const ended = isFinal(job.status);
  return {
    ...termsOf(job),
    status: statusOf(job),
    completed_at: job.status === 'completed' && finishedAt ? unixSeconds(finishedAt) : null,
    error: errorOf(job),
    incomplete_details: job.status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    output: result ? outputOf(job) : [],
    conversation:
      (job.conversation ?? task.conversation) ? { id: job.conversation ?? String(task.conversation) } : null,
    usage: ended && result ? usageOf(job) : null,
    metadata: job.metadata,
    expires_at: expiresAt(job),
  };
}

/** The same as it was at its submission, or when it began: what its first events show, whenever they are read. */
export function toResponseAtStart(job: ResponseJob, status: 'queued' | 'in_progress'): ResponseView {
  const { result: _, usage: __, finishedAt: ___, failure: ____, expiresAt: _____, ...begun } = job;
  return toResponse({ ...begun, status });
}

/** What the model said and called. Ids are those of the messages in its conversation, where it is a turn of one. */
function outputOf(job: ResponseJob): ItemView[] {
  const { text = '', toolCalls = [] } = job.result ?? {};
  const messages: ChatMessage[] = [
    ...(text !== '' || toolCalls.length === 0 ? [{ role: 'assistant' as const, content: text }] : []),
    ...toolCalls.map((call) => ({ role: 'assistant' as const, content: '', toolCalls: [call] })),
  ];
  const items = messages.map((message, index) => toItem(outputId(job, index), message));
  if (job.status !== 'incomplete') return items;
  return items.map((item) => ({ ...item, status: 'incomplete' }));
}

/** Of what was said and called, one after another. */
export function outputId({ _id, task }: Pick<ResponseJob, '_id' | 'task'>, index: number): string {
  return `msg_${_id}_${task.messages.filter(({ role }) => role !== 'system').length + index}`;
}

/** What was sent, oldest first. Instructions among it are in no conversation and have ids of their own. */
export function inputOf({ _id, task }: ResponseJob): ItemView[] {
  let said = 0;
  return task.messages.map((message, index) =>
    toItem(message.role === 'system' ? `msg_${_id}_s${index}` : `msg_${_id}_${said++}`, message),
  );
}

function termsOf({ _id: id, task, createdAt }: ResponseJob) {
  const { tools = [], toolChoice = 'auto', format } = task;
  return {
    id,
    object: 'response' as const,
    created_at: unixSeconds(createdAt),
    background: task.background,
    instructions: task.instructions ?? null,
    max_output_tokens: task.maxTokens ?? null,
    model: task.model,
    parallel_tool_calls: task.parallelToolCalls ?? true,
    previous_response_id: task.previousResponse ?? null,
    store: task.store ?? false,
    temperature: task.temperature ?? null,
    top_p: task.topP ?? null,
    text: { format: formatOf(format) },
    tool_choice: typeof toolChoice === 'string' ? toolChoice : { type: 'function' as const, name: toolChoice.name },
    tools: tools.map(({ name, description = null, parameters }) => ({
      type: 'function' as const,
      name,
      description,
      parameters: JSON.parse(parameters) as object,
      strict: true,
    })),
    truncation: 'auto' as const,
  };
}

function formatOf(format: ResponseJob['task']['format']): { type: string } & Record<string, unknown> {
  if (format?.type !== 'json_schema') return { type: format?.type ?? 'text' };
  return { type: format.type, name: format.name, schema: JSON.parse(format.schema) as object, strict: true };
}

function statusOf({ status }: ResponseJob): ResponseView['status'] {
  return status === 'expired' ? 'failed' : status;
}

function errorOf({ status, failure }: ResponseJob): ResponseView['error'] {
  if (status === 'expired') return { code: 'server_error', message: 'It missed its deadline.' };
  if (status !== 'failed') return null;
  return { code: 'server_error', message: failure?.message ?? 'It failed.' };
}

function usageOf({ usage }: ResponseJob): ResponseView['usage'] {
  const { promptTokens = 0, completionTokens = 0 } = usage ?? {};
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + completionTokens,
  };
}
