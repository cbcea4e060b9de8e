import { IdempotencyKeySchema, type QueueName } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import type { RateLimiter } from '@aigolos/queue';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { AccountLimitsDirectory } from '../limits/account-limits.ts';
import type { Backlogs } from '../limits/backlogs.ts';
import { giveBack, type RateState, rateHeaders, ratesOf, tooOften } from '../limits/rates.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its requests make work, which begins in this queue. */
    makesWork?: QueueName;
  }
  interface FastifyRequest {
    /** As which it was counted. */
    rates: RateState[];
  }
}

export interface AdmissionDeps {
  limits: AccountLimitsDirectory;
  limiter: RateLimiter;
  backlogs: Backlogs;
  jobs: Pick<Database['jobs'], 'findByIdempotencyKey'>;
}

/**
 * Turns away what makes work, before anything of its body is read, where too much waits already or its sender is too quick. A
 * request that was sent again under its key makes none: it is not refused, and not counted. Where Redis is away nobody is refused.
 */
export const admission = fp<AdmissionDeps>(async (app, { limits, limiter, backlogs, jobs }) => {
  app.decorateRequest('rates');

  async function count(request: FastifyRequest, reply: FastifyReply) {
    request.rates = await ratesOf(await limits.of(request.account), request, limiter.take);
    reply.headers(rateHeaders(request.rates));
    return tooOften(request.rates);
  }

  async function isSentAgain({ account, headers }: FastifyRequest): Promise<boolean> {
    const key = IdempotencyKeySchema.safeParse(headers['idempotency-key']);
    return key.success && (await jobs.findByIdempotencyKey(account, key.data)) !== undefined;
  }

  app.addHook('onRequest', async (request, reply) => {
    const { makesWork: queue } = request.routeOptions.config;
    if (request.is404 || !queue) return;
    const refusal = (await backlogs.refusalOf(queue)) ?? (await count(request, reply));
    if (refusal && !(await isSentAgain(request))) throw refusal;
  });

  app.addHook('onSend', async (request, reply) => {
    if (request.rates?.length && reply.hasHeader('idempotent-replayed'))
      await giveBack(limiter, request.rates, request);
  });
});
