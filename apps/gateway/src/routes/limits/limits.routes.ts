import {
  BACKLOG_MEASURES,
  LIMITS,
  type LimitsView,
  LimitsViewSchema,
  MEASURED_QUEUES,
  type MeasuredQueue,
  SUBMISSION_LIMITS,
} from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Backlogs } from '../../limits/backlogs.ts';
import { problems } from '../shared-responses.ts';
import { type AccountLimitsDeps, accountLimits } from './account-limits.service.ts';

export interface LimitRoutesDeps {
  audio: LimitsView['audio'];
  retentionSeconds: number;
  account: AccountLimitsDeps;
  backlogs: Backlogs;
}

export const limitRoutes: FastifyPluginAsyncZod<LimitRoutesDeps> = async (
  app,
  { audio, retentionSeconds, account, backlogs },
) => {
  const limits: Omit<LimitsView, 'account' | 'backlogs'> = {
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
        summary: 'What is taken at most, what your account may use, and what is left of it',
        response: { 200: LimitsViewSchema, ...problems },
      },
    },
    async (request) => ({
      ...limits,
      account: await accountLimits(account, request),
      backlogs: await Promise.all(MEASURED_QUEUES.map((queue) => backlogView(backlogs, queue))),
    }),
  );
};

async function backlogView(backlogs: Backlogs, queue: MeasuredQueue): Promise<LimitsView['backlogs'][number]> {
  const backlog = await backlogs.of(queue);
  return { queue, measure: BACKLOG_MEASURES[queue], waiting: backlog?.amount ?? null, limit: backlogs.limits[queue] };
}
