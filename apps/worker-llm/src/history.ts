import type { ChatMessage } from '@aigolos/contracts';

/** Without what tools gave back to calls that are not among the messages any more: nobody could say what it is the outcome of. */
export function withoutOrphans(messages: readonly ChatMessage[]): ChatMessage[] {
  const called = new Set<string>();
  return messages.filter(({ toolCalls = [], toolCallId }) => {
    for (const { id } of toolCalls) called.add(id);
    return toolCallId === undefined || called.has(toolCallId);
  });
}

/** What was said and called in one answer as one message, which is how models read it. */
export function joinCalls(messages: readonly ChatMessage[]): ChatMessage[] {
  const joined: ChatMessage[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (last?.role === 'assistant' && message.toolCalls && message.content === '') {
      joined[joined.length - 1] = { ...last, toolCalls: [...(last.toolCalls ?? []), ...message.toolCalls] };
    } else joined.push(message);
  }
  return joined;
}
