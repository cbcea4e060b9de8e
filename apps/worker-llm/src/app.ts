import { describeModel } from '@aigolos/engines/catalogue';
import { answerStep, createWorker } from '@aigolos/jobs';
import type { App, Logger } from '@aigolos/runtime';
import { createAnswerProcessor } from './answer.processor.ts';
import type { Config } from './config.ts';
import { createEngine } from './engine.ts';

/** Messages in, text out. */
export function createApp(config: Config, log: Logger): App {
  return createWorker({
    service: 'worker-llm',
    queue: 'llm',
    config,
    log,
    async open({ conversations, jobs }) {
      const engine = await createEngine(config, log);
      const deps = { engine, conversations, jobs, contextMessages: config.CONVERSATION_CONTEXT_MESSAGES };
      const chat = createAnswerProcessor<'chat'>(deps);
      return {
        processors: { chat, response: createAnswerProcessor<'response'>(deps), 'voice-turn': answerStep(chat) },
        models: [describeModel(engine.model, 'llm', { isDefault: true, capabilities: engine.tools ? ['tools'] : [] })],
        close: () => engine.close(),
      };
    },
  });
}
