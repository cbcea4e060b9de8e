import { type ChatMessage, queueOf } from '@aigolos/contracts';
import { type AnyJobRecord, type Database, isDatabaseUnavailable, type JobRecord } from '@aigolos/db';
import type { Handled } from '@aigolos/queue';
import { messageOf } from '@aigolos/runtime';
import type { JobsDeps } from './deps.ts';

export type ConversationReader = Pick<Database['conversations'], 'lastMessages'>;

/** The messages that stand before a turn: the last ones of its conversation, oldest first. */
export async function conversationContext(
  conversations: ConversationReader,
  conversation: string,
  limit: number,
): Promise<ChatMessage[]> {
  const messages = await conversations.lastMessages(conversation, limit);
  return messages.map(({ role, content, toolCalls, toolCallId }) => ({
    role,
    content,
    ...(toolCalls && { toolCalls }),
    ...(toolCallId !== undefined && { toolCallId }),
  }));
}

/** What a turn that has been answered adds to its conversation. */
function messagesOf(job: AnyJobRecord): ChatMessage[] {
  if ((job.kind === 'chat' || job.kind === 'response') && job.result) {
    const { text, toolCalls } = job.result;
    // Instructions belong to a request, not to what was said.
    const asked = job.task.messages.filter(({ role }) => role !== 'system');
    return [...asked, { role: 'assistant', content: text, ...(toolCalls && { toolCalls }) }];
  }
  if (job.kind === 'voice-turn' && job.result) {
    const { transcript, answer } = job.result;
    return [
      { role: 'user', content: transcript.text },
      { role: 'assistant', content: answer.text },
    ];
  }
  return [];
}

/** Writes what was asked and answered into the conversation, once, however often it is called. */
export async function writeTurn(db: Pick<Database, 'jobs' | 'conversations'>, job: AnyJobRecord): Promise<void> {
  const messages = messagesOf(job);
  if (job.conversation !== undefined && messages.length > 0) {
    await db.conversations.appendTurn({
      conversation: job.conversation,
      account: job.account,
      job: job._id,
      messages: messages.flatMap(oneByOne),
      at: job.finishedAt ?? new Date(),
    });
  }
  await db.jobs.clearMessagesPending(job._id);
}

/** In a conversation what was said and each call are messages of their own, as they are its items. */
function oneByOne({ toolCalls = [], ...message }: ChatMessage): ChatMessage[] {
  const calls = toolCalls.map((call) => ({ ...message, content: '', toolCalls: [call] }));
  return calls.length > 0 && message.content === '' ? calls : [message, ...calls];
}

/** Who waits is woken by the end of the turn before; this is for when nobody was there to wake it. */
const LOOK_AGAIN_MS = 5_000;

/** What to do with a turn whose time has not come: an earlier one of its conversation has not ended. Nothing for all others. */
export async function waitForTurn(
  { db, producer }: Pick<JobsDeps, 'db' | 'producer'>,
  {
    _id: id,
    kind,
    step,
    conversation,
    turn,
    deadlineAt,
  }: Pick<JobRecord, '_id' | 'kind' | 'step' | 'conversation' | 'turn' | 'deadlineAt'>,
): Promise<Handled | undefined> {
  if (conversation === undefined || turn === undefined) return undefined;
  // What was said can be heard while the turn before is still answered.
  if (queueOf({ kind, step }) === 'asr') return undefined;
  if (!(await db.jobs.hasEarlierTurn(conversation, turn))) return undefined;
  const untilDeadline = deadlineAt ? deadlineAt.getTime() - Date.now() : LOOK_AGAIN_MS;
  return {
    againAfterMs: Math.max(0, Math.min(LOOK_AGAIN_MS, untilDeadline)),
    // Who ended the other one between the look above and the wait found nothing to wake.
    async onceWaiting() {
      if (!(await db.jobs.hasEarlierTurn(conversation, turn))) await producer.bringForward({ id, kind, step });
    },
  };
}

/** After the end of a turn: the next one that waits goes on at once. Never fails: a turn that sleeps on looks by itself. */
export async function wakeNextTurn(
  { db, producer, log }: Pick<JobsDeps, 'db' | 'producer' | 'log'>,
  { _id: jobId, conversation, turn }: Pick<JobRecord, '_id' | 'conversation' | 'turn'>,
): Promise<void> {
  if (conversation === undefined || turn === undefined) return;
  try {
    const next = await db.jobs.nextQueuedTurn(conversation, turn);
    if (next) await producer.bringForward({ id: next._id, kind: next.kind, step: next.step });
  } catch (error) {
    log[isDatabaseUnavailable(error) ? 'debug' : 'warn'](
      { jobId, reason: messageOf(error) },
      'the next turn was not woken',
    );
  }
}
