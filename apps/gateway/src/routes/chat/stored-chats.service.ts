import {
  type ChatCompletion,
  type ItemPageQuery,
  NotFoundError,
  type StoredMessage,
  ValidationError,
} from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import { toChatCompletion, toToolCallView } from '../../answers/chat-completion.ts';
import { openAIPageOf, type Page, pageIn } from '../../answers/item-pages.ts';
import type { Erasure, Erasures } from '../erasures/erasures.service.ts';

export interface StoredChatsDeps {
  jobs: Jobs;
  erasures: Pick<Erasures, 'deleteJob'>;
}

/** Chats whose clients asked for them to be stored. @throws NotFoundError of all others. */
export interface StoredChats {
  list(
    account: string,
    query: ItemPageQuery & { order: 'asc' | 'desc'; model?: string | undefined } & Record<string, unknown>,
  ): Promise<Page<ChatCompletion>>;
  get(account: string, id: string): Promise<ChatCompletion>;
  /** What was sent, oldest first unless asked otherwise. */
  messages(account: string, id: string, page: ItemPageQuery): Promise<Page<StoredMessage>>;
  setMetadata(account: string, id: string, metadata: Record<string, string>): Promise<ChatCompletion>;
  /** Erases it, as `DELETE /v1/jobs/{id}` does. */
  delete(account: string, id: string, until: AbortSignal): Promise<Erasure>;
}

export function createStoredChats({ jobs, erasures }: StoredChatsDeps): StoredChats {
  async function find(account: string, id: string): Promise<JobRecord<'chat'>> {
    const job = await jobs.get(account, id).catch((error: unknown) => {
      if (!(error instanceof NotFoundError)) throw error;
    });
    if (job?.kind === 'chat' && job.task.store && job.result) return job;
    throw new NotFoundError(`There is no stored chat completion ${id}.`, { code: 'JOB_NOT_FOUND', param: 'id' });
  }

  return {
    async list(account, query) {
      const { limit, after, order, model } = query;
      const { chats, hasMore } = await jobs.storedChats({
        account,
        limit,
        after,
        order,
        model,
        metadata: metadataIn(query),
      });
      return openAIPageOf(chats.map(toStored), hasMore);
    },
    get: async (account, id) => toStored(await find(account, id)),
    async messages(account, id, page) {
      const { task } = await find(account, id);
      const messages = task.messages.map(
        ({ role, content, toolCalls, toolCallId }, index): StoredMessage => ({
          id: `${id}-${index}`,
          role,
          content: content === '' && toolCalls ? null : content,
          refusal: null,
          content_parts: null,
          ...(toolCalls && { tool_calls: toolCalls.map(toToolCallView) }),
          ...(toolCallId !== undefined && { tool_call_id: toolCallId }),
        }),
      );
      return pageIn(messages, { order: 'asc', ...page });
    },
    async setMetadata(account, id, metadata) {
      await find(account, id);
      await jobs.note(account, id, metadata);
      return toStored(await find(account, id));
    },
    async delete(account, id, until) {
      await find(account, id);
      return erasures.deleteJob(account, id, until);
    },
  };
}

function toStored(job: JobRecord<'chat'>): ChatCompletion {
  if (!job.result) throw new Error(`${job._id} has no result`);
  return { ...toChatCompletion(job, job.result), metadata: job.metadata };
}

/** OpenAI's clients write `metadata[key]=value`. */
function metadataIn(query: Record<string, unknown>): Record<string, string> {
  const pairs = Object.entries(query).flatMap(([name, value]): [string, string][] => {
    const key = /^metadata\[(.*)\]$/s.exec(name)?.[1];
    return key === undefined ? [] : [[key, String(value)]];
  });
  const odd = pairs.find(([key]) => key === '' || key.startsWith('$') || key.includes('.'));
  if (!odd) return Object.fromEntries(pairs);
  throw new ValidationError(`metadata can be searched by keys without dots and dollar signs, not by "${odd[0]}".`, {
    param: 'metadata',
  });
}
