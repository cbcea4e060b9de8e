import {
  TranscriptEventSchema,
  TranscriptionFormSchema,
  TranscriptionJsonSchema,
  TranscriptionVerboseJsonSchema,
} from '@aigolos/contracts';
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Answers } from '../../answers/answers.ts';
import type { ReadSubmissionOptions } from '../../answers/submission-options.ts';
import { AUDIO_FILE, type ReceiveOptions, receiveForm } from '../../forms/receive-form.ts';
import { acceptedJob, eventsOf, openAIErrors, subtitleContent } from '../shared-responses.ts';
import { createTranscriptions, type TranscriptionsDeps } from './transcriptions.service.ts';

/** Longest first: what is serialised loses the fields that its schema does not have. */
export const transcriptContent = z.union([TranscriptionVerboseJsonSchema, TranscriptionJsonSchema]);

/** The text alone, and as subtitles. */
export const textContent = { 'text/plain': { schema: z.string() }, ...subtitleContent };

const ROUTES = [
  { path: '/v1/audio/transcriptions', kind: 'transcription', summary: 'Transcribe speech' },
  { path: '/v1/audio/translations', kind: 'translation', summary: 'Transcribe speech in English, whatever is spoken' },
] as const;

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

  for (const { path, kind, summary } of ROUTES) {
    app.post(
      path,
      {
        config: { access: 'user', scope: 'transcriptions', makesWork: 'asr' },
        // The form is read as a stream, after validation; its schema only documents it here.
        validatorCompiler: () => (value) => ({ value }),
        schema: {
          tags: ['audio'],
          summary: `${summary}; as server-sent events with \`stream\``,
          consumes: ['multipart/form-data'],
          body: TranscriptionFormSchema,
          response: {
            200: {
              description: 'The transcript, as `response_format` asks for it',
              content: {
                'application/json': { schema: transcriptContent },
                ...textContent,
                'text/event-stream': eventsOf(TranscriptEventSchema),
              },
            },
            202: acceptedJob,
            ...openAIErrors,
          },
        },
      },
      async (request, reply) => {
        const wishes = await options(request);
        const form = await receiveForm(request, { ...upload, takes: AUDIO_FILE });
        const { submitted, stream } = await transcriptions.submit(kind, request.account, { form, options: wishes });
        return stream ? answers.transcript(request, reply, submitted) : answers.submission(request, reply, submitted);
      },
    );
  }
};
