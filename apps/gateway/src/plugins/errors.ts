import { AIGolosError, NotFoundError, ValidationError } from '@aigolos/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { createAllowedMethods } from '../errors/allowed-methods.ts';
import { isOpenAIRoute, toOpenAIError, toProblem } from '../errors/error-body.ts';
import { ERROR_TABLE } from '../errors/error-table.ts';
import { toAIGolosError } from '../errors/to-aigolos-error.ts';
import { REQUEST_ID_HEADER } from './request-id.ts';

const TRY_AGAIN_AFTER_SECONDS = 5;

/** Every error leaves here, in OpenAI's shape on OpenAI's routes and as problem details elsewhere. */
export const errors = fp(async (app) => {
  const methodsOf = createAllowedMethods(app);
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?', 1);
    const allowed = methodsOf(path).join(', ');
    if (allowed !== '') {
      reply.header('allow', allowed);
      const message = `${path} takes ${allowed}, not ${request.method}.`;
      return sendError(new ValidationError(message, { code: 'METHOD_NOT_ALLOWED' }), request, reply);
    }
    const error = new NotFoundError(`There is no route ${request.method} ${path}.`, { code: 'ROUTE_NOT_FOUND' });
    return sendError(error, request, reply);
  });
});

/** Sends an error as the body that its route promises. */
export function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toAIGolosError(thrown, request.routeOptions.bodyLimit);
  const { status } = ERROR_TABLE[error.code];
  logError(error, request);
  reply.code(status).header(REQUEST_ID_HEADER, request.id);
  if (status === 401 && !reply.hasHeader('www-authenticate')) reply.header('www-authenticate', challengeFor(request));
  const retryAfter = error.retryAfterSeconds ?? (error.code === 'SERVICE_UNAVAILABLE' && TRY_AGAIN_AFTER_SECONDS);
  if (retryAfter) reply.header('retry-after', retryAfter);
  // The job has been tried as often as it makes sense, or goes on: OpenAI's clients would submit it anew.
  // Under a key the same request joins the job that goes on.
  const joins = status === 503 && request.headers['idempotency-key'] !== undefined;
  // They also take any conflict for one that passes by itself, which only that of a result does that is not there yet.
  // A quota is not there again before its period is over.
  const isLasting = (status === 409 && error.code !== 'RESULT_NOT_READY') || error.code === 'QUOTA_EXCEEDED';
  if (isLasting || (reply.hasHeader('x-job-id') && !joins)) reply.header('x-should-retry', 'false');
  return isOpenAIRoute(request.url)
    ? reply.type('application/json').send(toOpenAIError(error))
    : reply.type('application/problem+json').send(toProblem(error, request));
}

function logError(error: AIGolosError, { log }: FastifyRequest): void {
  if (error.code === 'INTERNAL' && error.cause !== undefined) log.error({ err: error.cause }, 'unforeseen error');
  else if (ERROR_TABLE[error.code].status >= 500) log.warn({ code: error.code, err: error.cause }, error.message);
  // Without its words, which quote what the client has sent.
  else log.debug({ code: error.code, param: error.param }, 'refused');
}

/** Browsers ask for the key of operators' pages by themselves. */
function challengeFor(request: FastifyRequest): string {
  const scheme = request.routeOptions.config.access === 'admin' ? 'Basic' : 'Bearer';
  return `${scheme} realm="AIGolos"`;
}
