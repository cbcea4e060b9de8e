import type { ChatMessage } from '@aigolos/contracts';

/** Where an answer to a plain prompt ends: the model begins to write the user's next turn. */
export const PLAIN_PROMPT_STOPS = ['\n\nUser:', '\nUser:'] as const;

/**
 * The prompt for models without a chat template: `User: …\nAssistant: …` for each turn, turns parted by a blank line,
 * then `User: {new}\nAssistant:` to be continued. A system message stands as a paragraph of its own.
 */
export function plainPrompt(messages: readonly ChatMessage[]): string {
  let prompt = '';
  let previous: ChatMessage['role'] | undefined;
  for (const message of messages) {
    if (previous !== undefined) prompt += separator(previous, message.role);
    prompt += line(message);
    previous = message.role;
  }
  return previous === undefined ? 'Assistant:' : `${prompt}${separator(previous, 'assistant')}Assistant:`;
}

function line(message: ChatMessage): string {
  switch (message.role) {
    case 'system':
      return message.content;
    case 'user':
    case 'tool':
      return `User: ${message.content}`;
    case 'assistant':
      return `Assistant: ${message.content}`;
  }
}

/** An answer stands under its question; everything else begins a new paragraph. */
function separator(previous: ChatMessage['role'], next: ChatMessage['role']): string {
  return previous === 'user' && next === 'assistant' ? '\n' : '\n\n';
}
