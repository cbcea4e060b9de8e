import { AIGolosError, type ChatMessage, LlmServiceError } from '@aigolos/contracts';
import type { LlmAnswer, LlmEngine } from '@aigolos/engines/llm';
import {
  type ConversationReader,
  conversationContext,
  type JobContext,
  type JobFinder,
  type Processor,
  previousMessages,
} from '@aigolos/jobs';
import { joinCalls, withoutOrphans } from './history.ts';

export interface AnswerDeps {
  engine: LlmEngine;
  conversations: ConversationReader;
  jobs: JobFinder;
  /** How many of a conversation's last messages stand before a new one. */
  contextMessages: number;
}

/** The kinds of jobs that are answered by messages. */
type Answering = 'chat' | 'response';

/** Answers one turn. What was said before it stands before the new messages, after the request's own instructions. */
export function createAnswerProcessor<Kind extends Answering>({ engine, ...before }: AnswerDeps): Processor<Kind> {
  return async (whole) => {
    // The tasks of both kinds have all that is asked of an engine.
    const context = whole as unknown as JobContext<Answering>;
    const { task } = context.job;
    if (task.model !== engine.model) throw servesAnotherModel(task.model, engine.model);
    const begun = performance.now();
    const { text, answer, leftOut } = await answerWithin(engine, context, await saidBefore(before, context.job));
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
      ...(answer.finishReason === 'length' && { status: 'incomplete' as const }),
    };
  };
}

async function saidBefore(
  { conversations, jobs, contextMessages }: Omit<AnswerDeps, 'engine'>,
  { account, task }: JobContext<Answering>['job'],
): Promise<ChatMessage[]> {
  if (task.conversation) return conversationContext(conversations, task.conversation, contextMessages);
  if ('previousResponse' in task && task.previousResponse)
    return previousMessages(jobs, account, task.previousResponse);
  return [];
}

/** Leaves out the oldest message before as often as the model's context asks for it: a conversation must not come to a dead end. */
async function answerWithin(
  engine: LlmEngine,
  context: JobContext<Answering>,
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
  { job, signal, emitDelta }: JobContext<Answering>,
  before: ChatMessage[],
): Promise<{ text: string; answer: LlmAnswer }> {
  const { messages, maxTokens, temperature, topP, stop, seed, format, tools, toolChoice, parallelToolCalls } = job.task;
  const options = { maxTokens, temperature, topP, stop, seed, format, tools, toolChoice, parallelToolCalls };
  const instructions = messages.filter(({ role }) => role === 'system');
  if ('instructions' in job.task && job.task.instructions) {
    instructions.unshift({ role: 'system', content: job.task.instructions });
  }
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
