import { createHash } from 'node:crypto';
import apiReference from '@scalar/fastify-api-reference';
import type { FastifyPluginAsync } from 'fastify';

const INLINE_SCRIPT = /<script(?![^>]*\bsrc=)[^>]*>(?<source>[^]*?)<\/script>/g;

/** The API description as pages, under /docs. All of it comes from here: the page may load nothing from elsewhere, and asks for nothing. */
export const apiReferenceRoutes: FastifyPluginAsync = async (app) => {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'public' };
  });
  // The page configures itself by a script of its own, which is the same for everybody.
  app.addHook('onSend', async (_request, reply, payload) => {
    if (typeof payload !== 'string' || !String(reply.getHeader('content-type')).startsWith('text/html')) return;
    const allowed = [...payload.matchAll(INLINE_SCRIPT)].map(({ groups }) => cspHash(groups?.source ?? ''));
    const policy = String(reply.getHeader('content-security-policy'));
    reply.header('content-security-policy', `${policy};script-src 'self' ${allowed.join(' ')}`);
  });
  await app.register(apiReference, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'AIGolos API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  });
};

/** As Content-Security-Policy names a script that may run. */
function cspHash(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}
