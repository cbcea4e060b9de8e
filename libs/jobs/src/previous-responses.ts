import { type ChatMessage, LIMITS } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';

export type JobFinder = Pick<Database['jobs'], 'findOwned'>;

/**
 * What was said in the responses that one goes on from, oldest first. They end at one that is not there any more: what was
 * erased, or whose time has come, is said no longer.
 */
export async function previousMessages(jobs: JobFinder, account: string, previous: string): Promise<ChatMessage[]> {
  let messages: ChatMessage[] = [];
  for (let id: string | undefined = previous; id !== undefined && messages.length < LIMITS.chatMessages; ) {
    const job = await jobs.findOwned(account, id);
    if (job?.kind !== 'response' || !job.result) break;
    const { text, toolCalls } = job.result;
    const asked = job.task.messages.filter(({ role }) => role !== 'system');
    messages = [...asked, { role: 'assistant', content: text, ...(toolCalls && { toolCalls }) }, ...messages];
    id = job.task.previousResponse;
  }
  return messages;
}
