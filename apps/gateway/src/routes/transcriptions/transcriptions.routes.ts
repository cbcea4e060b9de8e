import { TranscriptionFormSchema, TranscriptionJsonSchema, TranscriptionVerboseJsonSchema } from '@aigolos/contracts';
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Answers } from '../../answers/answers.ts';
import type { ReadSubmissionOptions } from '../../answers/submission-options.ts';
import { type ReceiveOptions, receiveForm } from '../../forms/receive-form.ts';
import { acceptedJob, openAIErrors } from '../shared-responses.ts';
import { createTranscriptions, type TranscriptionsDeps } from './transcriptions.service.ts';

/** Longest first: what is serialised loses the fields that its schema does not have. */
export const transcriptContent = z.union([TranscriptionVerboseJsonSchema, TranscriptionJsonSchema]);

const AUDIO = { field: 'file', what: 'audio', tooLarge: 'AUDIO_TOO_LARGE' } as const;

export interface TranscriptionRoutesDeps extends TranscriptionsDeps {
  answers: Answers;
  options: ReadSubmissionOptions;
  upload: ReceiveOptions;
}

export const transcriptionRoutes: FastifyPluginAsyncZod<TranscriptionRoutesDeps> = async (
  app,
  { answers, options, upload, ...deps },
) => {
  const transcriptions = createTranscriptions(deps);
  // The blob store knows the limit better: it says which one it is.
  await app.register(multipart, { throwFileSizeLimit: false });

  app.post(
    '/v1/audio/transcriptions',
    {
      config: { access: 'user' },
      // The form is read as a stream, after validation; its schema only documents it here.
      validatorCompiler: () => (value) => ({ value }),
      schema: {
        tags: ['audio'],
        summary: 'Transcribe speech',
        consumes: ['multipart/form-data'],
        body: TranscriptionFormSchema,
        response: {
          200: {
            description: 'The transcript, as `response_format` asks for it',
            content: { 'application/json': { schema: transcriptContent }, 'text/plain': { schema: z.string() } },
          },
          202: acceptedJob,
          ...openAIErrors,
        },
      },
    },
    async (request, reply) => {
      const wishes = await options(request);
      const form = await receiveForm(request, { ...upload, takes: AUDIO });
      const submitted = await transcriptions.submit(request.account, form, wishes);
      return answers.submission(request, reply, submitted);
    },
  );
};
