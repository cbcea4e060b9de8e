import { type ChatMessage, type InputItem, type ItemView, itemText } from '@aigolos/contracts';

/** An item that was sent, as a message. */
export function toMessage(item: InputItem): ChatMessage {
  if ('role' in item) {
    return { role: item.role === 'developer' ? 'system' : item.role, content: itemText(item.content) };
  }
  if (item.type === 'function_call') {
    const { call_id: id, name, arguments: given } = item;
    return { role: 'assistant', content: '', toolCalls: [{ id, name, arguments: given }] };
  }
  return { role: 'tool', content: itemText(item.output), toolCallId: item.call_id };
}

/** A message that is said, one call, or what was given back, as an item. */
export function toItem(id: string, message: ChatMessage): ItemView {
  const { role, content, toolCalls: [call] = [], toolCallId = '' } = message;
  const status = 'completed' as const;
  if (call) {
    return { id, type: 'function_call', status, call_id: call.id, name: call.name, arguments: call.arguments };
  }
  if (role === 'tool') return { id, type: 'function_call_output', status, call_id: toolCallId, output: content };
  const text =
    role === 'assistant'
      ? { type: 'output_text' as const, text: content, annotations: [], logprobs: [] }
      : { type: 'input_text' as const, text: content };
  return { id, type: 'message', status, role, content: [text] };
}
