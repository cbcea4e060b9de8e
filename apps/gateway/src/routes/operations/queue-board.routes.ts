import { AIGolosError, QueuePayloadSchema, ValidationError } from '@aigolos/contracts';
import type { Producer } from '@aigolos/queue';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyPluginAsync } from 'fastify';
import { sendError } from '../../plugins/errors.ts';

const QUEUE_BOARD_PATH = '/admin/queues';
const READING = ['GET', 'HEAD'];
/** What the board shows of an entry is where it stands. Ours holds a job's id and nothing else; what somebody else has put there is not for the page. */
const HIDDEN = new Set(['failedReason', 'stacktrace', 'deferredFailure', 'returnValue']);

export interface QueueBoardRoutesDeps {
  queues: Producer['queues'];
  /** Where those who have signed in sign out, where they can. */
  signOutPath?: string | undefined;
}

/** The operator's view of the queues. It changes nothing: the truth about jobs is in the database, not here. */
export const queueBoardRoutes: FastifyPluginAsync<QueueBoardRoutesDeps> = async (app, { queues, signOutPath }) => {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'admin', scope: 'admin', page: true };
    // The board would report a missing key as its own failure.
    route.errorHandler = (error, request, reply) => {
      if (!(error instanceof AIGolosError)) throw error;
      sendError(error, request, reply);
    };
  });
  app.addHook('onRequest', async (request) => {
    if (READING.includes(request.method)) return;
    throw new ValidationError('The board only shows; jobs are changed by `aigolos jobs`.', {
      code: 'METHOD_NOT_ALLOWED',
    });
  });
  app.addHook('preSerialization', async (_request, _reply, payload) => withoutHidden(payload));
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(QUEUE_BOARD_PATH);
  createBullBoard({
    queues: Object.values(queues).map((queue) => new ReadOnlyQueue(queue)),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'AIGolos queues',
        miscLinks: signOutPath === undefined ? [] : [{ text: 'Sign out', url: signOutPath }],
      },
    },
  });
  await app.register(serverAdapter.registerPlugin(), { prefix: QUEUE_BOARD_PATH });
};

class ReadOnlyQueue extends BullMQAdapter {
  constructor(queue: ConstructorParameters<typeof BullMQAdapter>[0]) {
    super(queue, { readOnlyMode: true });
    this.setFormatter('data', (data: unknown) => {
      const payload = QueuePayloadSchema.safeParse(data);
      return payload.success ? payload.data : undefined;
    });
  }

  /** Ours write none. */
  override async getJobLogs(): Promise<string[]> {
    return [];
  }
}

function withoutHidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutHidden);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).map(([name, inner]) => [
    name,
    HIDDEN.has(name) ? hidden(inner) : withoutHidden(inner),
  ]);
  return Object.fromEntries(kept);
}

/** Of the same kind, as the page reads it. */
function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return typeof value === 'string' && value !== '' ? '[hidden]' : undefined;
}
