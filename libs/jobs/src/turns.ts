import { type ChatMessage, CONVERSATION_CONTEXT_MESSAGES } from '@aigolos/contracts';
import type { Database, JobRecord } from '@aigolos/db';
import { cacheScope, type ReadCache } from '@aigolos/queue';
import type { JobsDeps } from './deps.ts';

export interface ConversationReader {
  conversations: Pick<Database['conversations'], 'lastMessages'>;
  cache: Pick<ReadCache, 'read'>;
}

/** The messages that stand before a turn: the last ones of its conversation, oldest first. */
export async function conversationContext(
  { conversations, cache }: ConversationReader,
  conversation: string,
): Promise<ChatMessage[]> {
  return cache.read([cacheScope.conversation(conversation)], `context:${conversation}`, async () => {
    const messages = await conversations.lastMessages(conversation, CONVERSATION_CONTEXT_MESSAGES);
    return messages.map(({ role, content }) => ({ role, content }));
  });
}

/** Writes what was asked and answered into the conversation, once, however often it is called. */
export async function writeTurn({ db, cache }: Pick<JobsDeps, 'db' | 'cache'>, job: JobRecord<'chat'>): Promise<void> {
  if (job.conversation !== undefined && job.result) {
    await db.conversations.appendTurn({
      conversation: job.conversation,
      account: job.account,
      job: job._id,
      // Instructions belong to a request, not to what was said.
      messages: [
        ...job.task.messages.filter(({ role }) => role !== 'system'),
        { role: 'assistant', content: job.result.text },
      ],
      at: job.finishedAt ?? new Date(),
    });
    // The next turn begins when these messages are not pending any more, and must find them.
    await cache.invalidate(cacheScope.conversation(job.conversation));
  }
  await db.jobs.clearMessagesPending(job._id);
}
