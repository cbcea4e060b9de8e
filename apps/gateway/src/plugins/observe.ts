import { Histogram, type Registry } from '@aigolos/runtime';
import fp from 'fastify-plugin';

/** nginx's number for a client that left before its answer. */
export const CLIENT_GONE = 499;

/** One log line and one measurement a request. Held-open answers take as long as their jobs, so buckets reach far. */
export const observation = fp<{ metrics: Registry }>(async (app, { metrics }) => {
  const seconds = new Histogram({
    name: 'aigolos_http_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1_800],
    registers: [metrics],
  });
  app.addHook('onRequest', async (request, reply) => {
    // Unlike `onResponse` this also comes for a client that has left.
    reply.raw.once('close', () => {
      const { method } = request;
      const route = request.routeOptions.url ?? 'unknown';
      const status = reply.raw.writableFinished ? reply.statusCode : CLIENT_GONE;
      seconds.observe({ method, route, status }, reply.elapsedTime / 1_000);
      const line = { method, route, status, ms: Math.round(reply.elapsedTime), jobId: reply.getHeader('x-job-id') };
      request.log[request.routeOptions.config.access === 'public' ? 'debug' : 'info'](line, 'request');
    });
  });
});
