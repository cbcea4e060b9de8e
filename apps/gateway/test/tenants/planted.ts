import { AuthError, NotFoundError } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import { testLog } from '@aigolos/testing';
import Fastify, { type FastifyInstance } from 'fastify';
import { type FastifyPluginAsyncZod, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { accessControl } from '../../src/plugins/access.ts';
import { errors } from '../../src/plugins/errors.ts';
import { openApi } from '../../src/plugins/openapi.ts';
import { requestIds } from '../../src/plugins/request-id.ts';
import type { Row } from './rows.ts';

const row: Row = { scope: 'jobs:read', ids: [{ at: 'path.id', of: 'chat' }] };
export const PLANTED_ROWS: Record<string, Row> = {
  'GET /v1/leaks/{id}': row,
  'GET /v1/hints/{id}': row,
  'GET /v1/detours/{id}': row,
  'GET /v1/open/{id}': row,
  'GET /v1/right/{id}': row,
};

/** What a route looks like that a careless hand has written, beside one that is right. */
const plantedRoutes: FastifyPluginAsyncZod<Pick<Database, 'jobs'>> = async (app, { jobs }) => {
  const options = {
    config: { access: 'user', scope: 'jobs:read' },
    schema: { params: z.object({ id: z.string() }) },
  } as const;
  const gone = () => new NotFoundError('There is no such job.', { code: 'JOB_NOT_FOUND' });

  app.get('/v1/leaks/:id', options, async ({ params: { id } }) => {
    const job = await jobs.find(id);
    if (!job) throw gone();
    return { id: job._id };
  });
  app.get('/v1/hints/:id', options, async ({ account, params: { id } }) => {
    const job = await jobs.find(id);
    if (!job) throw gone();
    if (job.account !== account) throw new AuthError('This job is not yours.', { code: 'ACCESS_DENIED' });
    return { id: job._id };
  });
  app.get('/v1/detours/:id', options, async ({ account, params: { id } }) => {
    if (!(await jobs.find(id)) || !(await jobs.findOwned(account, id))) throw gone();
    return { id };
  });
  app.get('/v1/open/:id', { ...options, config: { access: 'public' } }, async () => ({ id: '' }));
  app.get('/v1/right/:id', options, async ({ account, params: { id } }) => {
    if (!(await jobs.findOwned(account, id))) throw gone();
    return { id };
  });
  app.get('/v1/rowless/:id', options, async () => ({ id: '' }));
};

/** A server with these routes, behind the plugins that all routes of the gateway are behind. */
export async function startPlanted(db: Pick<Database, 'access' | 'jobs'>): Promise<FastifyInstance> {
  const app = Fastify({ loggerInstance: testLog });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.register(requestIds);
  app.register(errors);
  app.register(accessControl, { access: db.access });
  app.register(openApi);
  app.register(plantedRoutes, { jobs: db.jobs });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app as unknown as FastifyInstance;
}
