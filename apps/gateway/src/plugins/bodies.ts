import { LIMITS, ValidationError } from '@aigolos/contracts';
import { messageOf } from '@aigolos/runtime';
import fp from 'fastify-plugin';
import { isDeeperThan } from './json-depth.ts';

/**
 * Bodies are JSON unless a route reads something else; an empty one is no body, whatever its Content-Type says. A body may
 * take as long as it likes, but one that sends nothing for `idleMs` is given up with its connection. A compressed body is
 * refused: what it would become is not known until it is.
 */
export const bodies = fp<{ idleMs: number }>(async (app, { idleMs }) => {
  app.addHook('onRequest', async ({ raw, headers }, reply) => {
    if (!headers['transfer-encoding'] && !Number(headers['content-length'])) return;
    const encoding = headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() !== 'identity') {
      reply.header('accept-encoding', 'identity');
      throw encoded(encoding);
    }
    raw.setTimeout(idleMs);
    raw.once('end', () => {
      // After the answer the timeout is the one that ends idle connections.
      if (!reply.raw.writableEnded) raw.setTimeout(0);
    });
  });
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body);
    if (text === '') return done(null, undefined);
    if (isDeeperThan(LIMITS.jsonDepth, text)) return done(tooDeep());
    void parse(request, text, (error, value) => (error ? done(notJson(text)) : done(null, value)));
  });
});

function encoded(encoding: string): ValidationError {
  return new ValidationError(`A body with Content-Encoding "${encoding}" is not read here; send it as it is.`, {
    code: 'UNSUPPORTED_MEDIA_TYPE',
  });
}

function tooDeep(): ValidationError {
  return new ValidationError(`The body has more than ${LIMITS.jsonDepth} lists and objects in one another.`);
}

/** The framework keeps the reason to itself. */
function notJson(text: string): ValidationError {
  let reason = 'it has a key that is not allowed (__proto__ or constructor)';
  try {
    JSON.parse(text);
  } catch (error) {
    reason = messageOf(error);
  }
  return new ValidationError(`The body is not valid JSON: ${reason}`);
}
