import {
  countCharacters,
  LIMITS,
  SPEECH_FORMATS,
  SpeechEventSchema,
  SpeechRequestSchema,
  ValidationError,
} from '@aigolos/contracts';
import { contentTypeOf } from '@aigolos/media';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Answers } from '../../answers/answers.ts';
import { parsePrefer } from '../../answers/prefer.ts';
import type { ReadSubmissionOptions } from '../../answers/submission-options.ts';
import { acceptedJob, eventsOf, openAIErrors } from '../shared-responses.ts';
import { createSpeech, type SpeechDeps } from './speech.service.ts';

/** The sound itself; it is streamed, so this only documents it. */
export const audioContent = Object.fromEntries(
  SPEECH_FORMATS.map((format) => [contentTypeOf(format), { schema: z.file() }]),
);

export const speechRoutes: FastifyPluginAsyncZod<
  SpeechDeps & { answers: Answers; options: ReadSubmissionOptions }
> = async (app, { answers, options, ...deps }) => {
  const speech = createSpeech(deps);

  app.post(
    '/v1/audio/speech',
    {
      config: { access: 'user', scope: 'speech', makesWork: 'tts' },
      bodyLimit: LIMITS.speechBodyBytes,
      schema: {
        tags: ['audio'],
        summary: 'Speak a text; the answer is streamed while it is made',
        body: SpeechRequestSchema,
        response: {
          200: {
            description: 'The spoken text',
            content: { ...audioContent, 'text/event-stream': eventsOf(SpeechEventSchema) },
          },
          202: acceptedJob,
          ...openAIErrors,
        },
      },
    },
    async (request, reply) => {
      assertNotTooLongToWaitFor(request.body.input, request.headers.prefer);
      const submitted = await speech.submit(request.account, request.body, await options(request));
      const asEvents = request.body.stream_format === 'sse';
      return asEvents ? answers.speech(request, reply, submitted) : answers.submission(request, reply, submitted);
    },
  );
};

/** A text that takes hours to be spoken is a job; a connection would not last so long. */
function assertNotTooLongToWaitFor(input: string, prefer: string | string[] | undefined): void {
  const { respondAsync, waitSeconds } = parsePrefer(prefer);
  const { speechCharacters: most, longSpeechCharacters } = LIMITS;
  if (respondAsync || waitSeconds !== undefined || input.length <= most) return;
  const length = countCharacters(input);
  if (length <= most) return;
  throw new ValidationError(
    `input must have 1 to ${most} characters where the answer is waited for, this one has ${length}; with the header ` +
      `"Prefer: respond-async" it is spoken as a job, up to ${longSpeechCharacters} characters.`,
    { param: 'input' },
  );
}
