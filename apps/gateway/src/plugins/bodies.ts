import { ValidationError } from '@aigolos/contracts';
import { messageOf } from '@aigolos/runtime';
import fp from 'fastify-plugin';

/** Bodies are JSON unless a route reads something else; an empty one is no body, whatever its Content-Type says. */
export const bodies = fp(async (app) => {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body);
    if (text === '') return done(null, undefined);
    void parse(request, text, (error, value) => (error ? done(notJson(text)) : done(null, value)));
  });
});

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
