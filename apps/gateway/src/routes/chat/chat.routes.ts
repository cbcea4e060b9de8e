import { ChatCompletionChunkSchema, ChatCompletionRequestSchema, ChatCompletionSchema } from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Answers } from '../../answers/answers.ts';
import type { ReadSubmissionOptions } from '../../answers/submission-options.ts';
import { acceptedJob, eventsOf, openAIErrors } from '../shared-responses.ts';
import { type ChatDeps, createChat } from './chat.service.ts';

export const chatRoutes: FastifyPluginAsyncZod<
  ChatDeps & { answers: Answers; options: ReadSubmissionOptions }
> = async (app, { answers, options, ...deps }) => {
  const chat = createChat(deps);

  app.post(
    '/v1/chat/completions',
    {
      config: { access: 'user', scope: 'chat', makesWork: 'llm' },
      schema: {
        tags: ['chat'],
        summary: 'Answer a list of messages; as server-sent events with `stream`',
        body: ChatCompletionRequestSchema,
        response: {
          200: {
            description: 'The answer, whole or in pieces',
            content: {
              'application/json': { schema: ChatCompletionSchema },
              'text/event-stream': eventsOf(ChatCompletionChunkSchema, { lastData: '[DONE]' }),
            },
          },
          202: acceptedJob,
          ...openAIErrors,
        },
      },
    },
    async (request, reply) => {
      const submitted = await chat.submit(request.account, request.body, await options(request));
      if (!request.body.stream) return answers.submission(request, reply, submitted);
      const includeUsage = request.body.stream_options?.include_usage ?? false;
      return answers.stream(request, reply, submitted, { includeUsage });
    },
  );
};
