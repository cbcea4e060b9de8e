import { AIGolosError } from '@aigolos/contracts';
import type { Producer } from '@aigolos/queue';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyPluginAsync } from 'fastify';
import { sendError } from '../../plugins/errors.ts';

const QUEUE_BOARD_PATH = '/admin/queues';

/** The operator's view of the queues. It changes nothing: the truth about jobs is in the database, not here. */
export const queueBoardRoutes: FastifyPluginAsync<{ queues: Producer['queues'] }> = async (app, { queues }) => {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'admin', scope: 'admin' };
    // The board would report a missing key as its own failure.
    route.errorHandler = (error, request, reply) => {
      if (!(error instanceof AIGolosError)) throw error;
      sendError(error, request, reply);
    };
  });
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(QUEUE_BOARD_PATH);
  createBullBoard({
    queues: Object.values(queues).map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'AIGolos queues' } },
  });
  await app.register(serverAdapter.registerPlugin(), { prefix: QUEUE_BOARD_PATH });
};
