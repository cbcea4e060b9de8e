import fp from 'fastify-plugin';

/** While the gateway stops, a connection ends with the answer it waits for, instead of being kept for a next request. */
export const closing = fp<{ stopping: AbortSignal }>(async (app, { stopping }) => {
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('finish', () => {
      if (stopping.aborted) request.raw.socket.end();
    });
  });
});
