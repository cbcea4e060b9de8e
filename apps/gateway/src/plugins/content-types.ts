import { ValidationError } from '@aigolos/contracts';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

const JSON_TYPE = 'application/json';
const EXPECTED: Record<string, string> = {
  [JSON_TYPE]: 'send JSON as application/json',
  'multipart/form-data': 'send multipart/form-data with the file in the field "file", or a part of one in "data"',
};

/** A route reads bodies of the one type that its schema names, JSON where it names none; any other is refused unread. */
export const contentTypes = fp(async (app) => {
  app.addHook('onRequest', async (request) => {
    if (request.is404 || !hasBody(request)) return;
    const [expected = JSON_TYPE] = request.routeOptions.schema?.consumes ?? [];
    const { 'content-type': given = '' } = request.headers;
    if (!isType(given, expected)) {
      const right = EXPECTED[expected] ?? `send ${expected}`;
      throw new ValidationError(`This route does not read this Content-Type; ${right}.`, {
        code: 'UNSUPPORTED_MEDIA_TYPE',
      });
    }
  });
});

/** A body that is empty is none, whatever its type is said to be. */
function hasBody({ method, headers }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** By its essence; JSON is UTF-8 and nothing else. */
function isType(given: string, expected: string): boolean {
  const [essence = '', ...parameters] = given.split(';').map((part) => part.trim().toLowerCase());
  if (essence !== expected) return false;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return expected !== JSON_TYPE || charset === undefined || /^charset="?utf-?8"?$/.test(charset);
}
