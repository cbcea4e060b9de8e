import { VoiceTurnFormSchema, VoiceTurnSchema } from '@aigolos/contracts';
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Answers } from '../../answers/answers.ts';
import type { ReadSubmissionOptions } from '../../answers/submission-options.ts';
import { AUDIO_FILE, type ReceiveOptions, receiveForm } from '../../forms/receive-form.ts';
import { acceptedJob, problems } from '../shared-responses.ts';
import { audioContent } from '../speech/speech.routes.ts';
import { createVoiceTurns, type VoiceTurnsDeps } from './voice-turns.service.ts';

export interface VoiceTurnRoutesDeps extends VoiceTurnsDeps {
  answers: Answers;
  options: ReadSubmissionOptions;
  upload: ReceiveOptions;
}

const params = z.object({ id: z.string() });

export const voiceTurnRoutes: FastifyPluginAsyncZod<VoiceTurnRoutesDeps> = async (
  app,
  { answers, options, upload, ...deps },
) => {
  const turns = createVoiceTurns(deps);
  const config = { access: 'user', scope: 'voice_turns' } as const;
  // The blob store knows the limit better: it says which one it is.
  await app.register(multipart, { throwFileSizeLimit: false });

  app.post(
    '/v1/voice/turns',
    {
      config: { ...config, makesWork: 'asr' },
      // The form is read as a stream, after validation; its schema only documents it here.
      validatorCompiler: () => (value) => ({ value }),
      schema: {
        tags: ['voice'],
        summary: 'Hear what was said, answer it, and say the answer: one job',
        consumes: ['multipart/form-data'],
        body: VoiceTurnFormSchema,
        response: {
          200: {
            description: 'The turn, or, where `Accept` prefers it, the sound of the answer',
            content: { 'application/json': { schema: VoiceTurnSchema }, ...audioContent },
          },
          202: acceptedJob,
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const wishes = await options(request);
      const form = await receiveForm(request, { ...upload, takes: AUDIO_FILE });
      const submitted = await turns.submit(request.account, form, wishes);
      return answers.submission(request, reply, submitted);
    },
  );

  app.get(
    '/v1/voice/turns/:id/audio',
    {
      config,
      schema: {
        tags: ['voice'],
        summary: 'The spoken answer of a turn',
        params,
        response: { 200: { description: 'The spoken answer', content: audioContent }, ...problems },
      },
    },
    async (request, reply) => {
      const { _id: id } = await turns.get(request.account, request.params.id);
      return answers.result(request, reply, id, 'audio/*');
    },
  );
};
