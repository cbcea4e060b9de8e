import { type ChatMessage, CONVERSATION_CONTEXT_MESSAGES } from '@aigolos/contracts';
import type { Database, JobRecord } from '@aigolos/db';

export type ConversationReader = Pick<Database['conversations'], 'lastMessages'>;

/** The messages that stand before a turn: the last ones of its conversation, oldest first. */
export async function conversationContext(
  conversations: ConversationReader,
  conversation: string,
): Promise<ChatMessage[]> {
  const messages = await conversations.lastMessages(conversation, CONVERSATION_CONTEXT_MESSAGES);
  return messages.map(({ role, content }) => ({ role, content }));
}

/** Writes what was asked and answered into the conversation, once, however often it is called. */
export async function writeTurn(db: Pick<Database, 'jobs' | 'conversations'>, job: JobRecord<'chat'>): Promise<void> {
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
  }
  await db.jobs.clearMessagesPending(job._id);
}
