import { SpeechRequestSchema } from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Answers } from '../../answers/answers.ts';
import type { ReadSubmissionOptions } from '../../answers/submission-options.ts';
import { acceptedJob, openAIErrors } from '../shared-responses.ts';
import { createSpeech, type SpeechDeps } from './speech.service.ts';

/** The sound itself; it is streamed, so this only documents it. */
export const audioContent = {
  'audio/mpeg': { schema: z.file() },
  'audio/wav': { schema: z.file() },
};

export const speechRoutes: FastifyPluginAsyncZod<
  SpeechDeps & { answers: Answers; options: ReadSubmissionOptions }
> = async (app, { answers, options, ...deps }) => {
  const speech = createSpeech(deps);

  app.post(
    '/v1/audio/speech',
    {
      config: { access: 'user' },
      schema: {
        tags: ['audio'],
        summary: 'Speak a text',
        body: SpeechRequestSchema,
        response: {
          200: { description: 'The spoken text', content: audioContent },
          202: acceptedJob,
          ...openAIErrors,
        },
      },
    },
    async (request, reply) => {
      const job = await speech.submit(request.account, request.body, await options(request));
      return answers.submission(request, reply, job);
    },
  );
};
