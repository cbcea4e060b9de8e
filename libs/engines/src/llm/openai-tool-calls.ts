import type { ToolCall } from '@aigolos/contracts';
import type { OpenAI } from 'openai';
import { newCallId } from './tool-call.ts';

type CallPieces = OpenAI.ChatCompletionChunk.Choice.Delta['tool_calls'];

/** Puts calls together from the pieces in which a stream brings them. */
export function createCallsReader(): { push(pieces: CallPieces): void; end(): ToolCall[] } {
  const calls = new Map<number, ToolCall>();
  return {
    push(pieces = []) {
      for (const { index, id, function: piece } of pieces) {
        const call = calls.get(index) ?? { id: '', name: '', arguments: '' };
        call.id ||= id ?? '';
        call.name += piece?.name ?? '';
        call.arguments += piece?.arguments ?? '';
        calls.set(index, call);
      }
    },
    /** Some servers give no ids, and nothing for a call without arguments. */
    end: () =>
      [...calls.values()].map(({ id, name, arguments: given }) => ({
        id: id || newCallId(),
        name,
        arguments: given || '{}',
      })),
  };
}
