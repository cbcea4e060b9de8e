import { checkReadiness, type ReadinessCheck, type Registry } from '@aigolos/runtime';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Access } from '../../plugins/access.ts';

export interface OperationsDeps {
  checks: Record<string, ReadinessCheck>;
  metrics: Registry;
  /** Who may read the metrics. */
  metricsAccess: Access;
}

/** What operators and supervisors ask. */
export const operationsRoutes: FastifyPluginAsyncZod<OperationsDeps> = async (
  app,
  { checks, metrics, metricsAccess },
) => {
  const config = { access: 'public' } as const;
  const schema = { hide: true };

  app.get('/healthz', { config, schema }, async () => ({ status: 'ok' }));

  app.get('/readyz', { config, schema }, async (_request, reply) => {
    const readiness = await checkReadiness(checks);
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });

  const closed = { access: metricsAccess, ...(metricsAccess !== 'public' && { scope: 'admin' as const }) };
  app.get('/metrics', { config: closed, schema }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  );

  app.get('/openapi.json', { config, schema }, async () => app.swagger());
};
