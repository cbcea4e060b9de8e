import type { ChatMessage, ChatTool, ToolChoice } from '@aigolos/contracts';

/** Where a call begins and ends in what the model writes, in the format that Hermes, Qwen and other models were taught. */
export const CALL_BEGINS = '<tool_call>\n';
const CALL_ENDS = '\n</tool_call>';
/** Without the line break, which some models leave out. */
export const CALL_MARK = CALL_BEGINS.trimEnd();

/** The conversation as text alone: the tools in its instructions, and what was called and given back in its turns. */
export function withTools(
  messages: readonly ChatMessage[],
  tools: readonly ChatTool[],
  choice: ToolChoice = 'auto',
): ChatMessage[] {
  const written = messages.map(writeMessage);
  return tools.length === 0 ? written : withInstruction(written, toolsInstruction(tools, choice));
}

/** Adds a paragraph to the instructions at the beginning. */
export function withInstruction(messages: readonly ChatMessage[], instruction: string): ChatMessage[] {
  const [first, ...rest] = messages;
  return first?.role === 'system'
    ? [{ role: 'system', content: `${first.content}\n\n${instruction}` }, ...rest]
    : [{ role: 'system', content: instruction }, ...messages];
}

function writeMessage({ role, content, toolCalls = [] }: ChatMessage): ChatMessage {
  if (role === 'tool') return { role: 'user', content: `<tool_response>\n${content}\n</tool_response>` };
  const calls = toolCalls.map(
    ({ name, arguments: given }) =>
      `${CALL_BEGINS}{"name": ${JSON.stringify(name)}, "arguments": ${given}}${CALL_ENDS}`,
  );
  return { role, content: [content, ...calls].filter(Boolean).join('\n') };
}

function toolsInstruction(tools: readonly ChatTool[], choice: ToolChoice): string {
  const described = tools.map(
    ({ name, description, parameters }) =>
      `{"type": "function", "function": {"name": ${JSON.stringify(name)}, ${
        description === undefined ? '' : `"description": ${JSON.stringify(description)}, `
      }"parameters": ${parameters}}}`,
  );
  const may = choice === 'auto' ? 'may' : 'must';
  return `# Tools

You ${may} call one of these functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
${described.join('\n')}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
${CALL_BEGINS}{"name": <function-name>, "arguments": <args-json-object>}${CALL_ENDS}`;
}
