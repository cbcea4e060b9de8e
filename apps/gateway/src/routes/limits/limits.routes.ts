import { LIMITS, type LimitsView, LimitsViewSchema, SUBMISSION_LIMITS } from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { problems } from '../shared-responses.ts';

export interface LimitRoutesDeps {
  audio: LimitsView['audio'];
  retentionSeconds: number;
}

export const limitRoutes: FastifyPluginAsyncZod<LimitRoutesDeps> = async (app, { audio, retentionSeconds }) => {
  const limits: LimitsView = {
    object: 'limits',
    audio,
    transcription: { prompt_characters: LIMITS.promptCharacters },
    speech: {
      characters: LIMITS.speechCharacters,
      job_characters: LIMITS.longSpeechCharacters,
      speed_min: LIMITS.speedMin,
      speed_max: LIMITS.speedMax,
    },
    chat: {
      messages: LIMITS.chatMessages,
      message_characters: LIMITS.chatMessageCharacters,
      body_bytes: LIMITS.jsonBodyBytes,
    },
    batch: { lines: LIMITS.batchLines, bytes: LIMITS.batchBytes },
    job: {
      wait_seconds: LIMITS.waitSeconds,
      deadline_seconds: SUBMISSION_LIMITS.deadlineSeconds,
      idempotency_key_characters: SUBMISSION_LIMITS.idempotencyKeyCharacters,
      metadata_pairs: SUBMISSION_LIMITS.metadataPairs,
      metadata_key_characters: SUBMISSION_LIMITS.metadataKeyCharacters,
      metadata_value_characters: SUBMISSION_LIMITS.metadataValueCharacters,
      retention_seconds: retentionSeconds,
    },
  };

  app.get(
    '/v1/limits',
    {
      config: { access: 'user', scope: 'any' },
      schema: {
        tags: ['models'],
        summary: 'What is taken at most, as this installation is configured',
        response: { 200: LimitsViewSchema, ...problems },
      },
    },
    async () => limits,
  );
};
