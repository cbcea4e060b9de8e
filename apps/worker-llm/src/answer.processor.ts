import { AIGolosError, type ChatMessage, LlmServiceError } from '@aigolos/contracts';
import type { LlmAnswer, LlmEngine } from '@aigolos/engines/llm';
import { type ConversationReader, conversationContext, type JobContext, type Processor } from '@aigolos/jobs';
import { joinCalls, withoutOrphans } from './history.ts';

export interface AnswerDeps {
  engine: LlmEngine;
  conversations: ConversationReader;
  /** How many of a conversation's last messages stand before a new one. */
  contextMessages: number;
}

/** Answers one turn. What was said before in its conversation stands before the new messages, after the request's own instructions. */
export function createAnswerProcessor({ engine, conversations, contextMessages }: AnswerDeps): Processor<'chat'> {
  return async (context) => {
    const { task } = context.job;
    if (task.model !== engine.model) throw servesAnotherModel(task.model, engine.model);
    const begun = performance.now();
    const { conversation } = task;
    const before = conversation ? await conversationContext(conversations, conversation, contextMessages) : [];
    const { text, answer, leftOut } = await answerWithin(engine, context, before);
    const warnings = [...answer.warnings];
    if (leftOut > 0)
      warnings.push(`The ${leftOut} oldest messages of the context did not fit into the model and were left out.`);
    return {
      result: { text, finishReason: answer.finishReason, ...(answer.toolCalls && { toolCalls: answer.toolCalls }) },
      usage: {
        promptTokens: answer.promptTokens,
        completionTokens: answer.completionTokens,
        computeMs: performance.now() - begun,
      },
      warnings,
      ...(answer.finishReason === 'length' && { incomplete: true }),
    };
  };
}

/** Leaves out the oldest message before as often as the model's context asks for it: a conversation must not come to a dead end. */
async function answerWithin(
  engine: LlmEngine,
  context: JobContext<'chat'>,
  before: ChatMessage[],
): Promise<{ text: string; answer: LlmAnswer; leftOut: number }> {
  for (let leftOut = 0; ; leftOut += 1) {
    try {
      return { ...(await answerOnce(engine, context, before.slice(leftOut))), leftOut };
    } catch (error) {
      const tooMuch = error instanceof AIGolosError && error.code === 'LLM_CONTEXT_EXCEEDED';
      if (!tooMuch || leftOut >= before.length) throw error;
    }
  }
}

async function answerOnce(
  engine: LlmEngine,
  { job, signal, emitDelta }: JobContext<'chat'>,
  before: ChatMessage[],
): Promise<{ text: string; answer: LlmAnswer }> {
  const { messages, model: _, conversation: __, ...options } = job.task;
  const instructions = messages.filter(({ role }) => role === 'system');
  const said = messages.filter(({ role }) => role !== 'system');
  const asked = joinCalls([...instructions, ...withoutOrphans(before), ...said]);
  const generation = engine.generate(asked, options, signal);
  let text = '';
  for (;;) {
    const next = await generation.next();
    if (next.done) return { text, answer: next.value };
    text += next.value;
    emitDelta(next.value);
  }
}

function servesAnotherModel(asked: string, served: string): LlmServiceError {
  return new LlmServiceError(`Model ${asked} is not served any more; this installation has ${served}.`, {
    code: 'LLM_ENGINE_REJECTED',
    param: 'model',
  });
}
