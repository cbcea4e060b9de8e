import { AIGolosError, NotFoundError, ValidationError } from '@aigolos/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { isOpenAIRoute, toOpenAIError, toProblem } from '../errors/error-body.ts';
import { ERROR_TABLE } from '../errors/error-table.ts';
import { toAIGolosError } from '../errors/to-aigolos-error.ts';
import { REQUEST_ID_HEADER } from './request-id.ts';

const TRY_AGAIN_AFTER_SECONDS = 5;

/** Every error leaves here, in OpenAI's shape on OpenAI's routes and as problem details elsewhere. */
export const errors = fp(async (app) => {
  const methodsOf = collectRoutes(app);
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = methodsOf(path);
    if (methods.length > 0) {
      reply.header('allow', methods.join(', '));
      return sendError(methodNotAllowed(request.method, path, methods), request, reply);
    }
    const error = new NotFoundError(`There is no route ${request.method} ${path}.`, { code: 'ROUTE_NOT_FOUND' });
    return sendError(error, request, reply);
  });
});

/** Notes the routes that come after it. @returns the methods that a path is there for. */
function collectRoutes(app: FastifyInstance): (path: string) => string[] {
  const routes: { pattern: RegExp; methods: string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = RegExp.escape(url)
      .replaceAll(/\\\*|\\x2a/g, '.*')
      .replaceAll(/(:|\\x3a)\w+/g, '[^/]+');
    routes.push({ pattern: new RegExp(`^${pattern}/?$`), methods: [method].flat() });
  });
  return (path) => {
    const matching = routes.filter(({ pattern }) => pattern.test(path));
    return [...new Set(matching.flatMap(({ methods }) => methods))].toSorted();
  };
}

function methodNotAllowed(method: string, path: string, methods: string[]): ValidationError {
  return new ValidationError(`${path} does not take ${method}; it takes ${methods.join(', ')}.`, {
    code: 'METHOD_NOT_ALLOWED',
  });
}

/** Sends an error as the body that its route promises. */
export function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toAIGolosError(thrown, request.routeOptions.bodyLimit);
  const { status } = ERROR_TABLE[error.code];
  logError(error, request);
  reply.code(status).header(REQUEST_ID_HEADER, request.id);
  if (status === 401) reply.header('www-authenticate', challengeFor(request));
  if (error.code === 'SERVICE_UNAVAILABLE') reply.header('retry-after', TRY_AGAIN_AFTER_SECONDS);
  // The job has been tried as often as it makes sense, or goes on: OpenAI's clients would submit it anew.
  // Under a key the same request joins the job that goes on.
  const joins = status === 503 && request.headers['idempotency-key'] !== undefined;
  // They also take any conflict for one that passes by itself, which only that of a result does that is not there yet.
  const isLasting = status === 409 && error.code !== 'RESULT_NOT_READY';
  if (isLasting || (reply.hasHeader('x-job-id') && !joins)) reply.header('x-should-retry', 'false');
  return isOpenAIRoute(request.url)
    ? reply.type('application/json').send(toOpenAIError(error))
    : reply.type('application/problem+json').send(toProblem(error, request));
}

function logError(error: AIGolosError, { log }: FastifyRequest): void {
  if (error.code === 'INTERNAL' && error.cause !== undefined) log.error({ err: error.cause }, 'unforeseen error');
  else if (ERROR_TABLE[error.code].status >= 500) log.warn({ code: error.code, err: error.cause }, error.message);
  else log.debug({ code: error.code }, error.message);
}

/** Browsers ask for the key of operators' pages by themselves. */
function challengeFor(request: FastifyRequest): string {
  const scheme = request.routeOptions.config.access === 'admin' ? 'Basic' : 'Bearer';
  return `${scheme} realm="AIGolos"`;
}
