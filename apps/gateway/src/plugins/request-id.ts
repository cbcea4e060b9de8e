import type { IncomingMessage } from 'node:http';
import { newId } from '@aigolos/contracts';
import fp from 'fastify-plugin';

export const REQUEST_ID_HEADER = 'x-request-id';

const SANE = /^[\w.:-]{1,128}$/;

/** The caller's own id of this request, if it is fit for logs and headers, else a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && SANE.test(given) ? given : newId('request');
}

/** Every answer carries its request's id. */
export const requestIds = fp(async (app) => {
  app.addHook('onRequest', async (request, reply) => {
    reply.header(REQUEST_ID_HEADER, request.id);
  });
});
