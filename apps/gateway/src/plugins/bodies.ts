import fp from 'fastify-plugin';

/** Bodies are JSON unless a route reads something else; an empty one is no body, whatever its Content-Type says. */
export const bodies = fp(async (app) => {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, String(body), done);
  });
});
