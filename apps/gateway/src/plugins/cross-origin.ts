import { AuthError } from '@aigolos/contracts';
import cors from '@fastify/cors';
import fp from 'fastify-plugin';

/** What a page may read of an answer beside its body. */
const EXPOSED_HEADERS = [
  'idempotent-replayed',
  'location',
  'preference-applied',
  'retry-after',
  'x-expires-at',
  'x-job-id',
  'x-request-id',
  'x-should-retry',
  'x-warnings',
];
const PREFLIGHT_SECONDS = 600;
const READING = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Which pages of other origins may call: those of the operator's list, with a key that they send themselves. A browser's own
 * credentials, which it sends for any page that asks, change nothing on behalf of another site.
 */
export const crossOrigin = fp<{ origins: string[] }>(async (app, { origins }) => {
  app.addHook('onRequest', async ({ method, headers }) => {
    const { authorization = '', 'sec-fetch-site': site } = headers;
    if (READING.includes(method) || !/^basic\b/i.test(authorization)) return;
    if (site === undefined || site === 'same-origin' || site === 'none') return;
    throw new AuthError('A browser sent its own credentials for another site; send the key as "Bearer" instead.', {
      code: 'ACCESS_DENIED',
    });
  });
  if (origins.length === 0) return;
  app.addHook('onRoute', (route) => {
    // The route of preflights, which come without a key.
    if (route.url === '*' && route.method === 'OPTIONS') route.config = { ...route.config, access: 'public' };
  });
  await app.register(cors, {
    origin: origins,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    credentials: false,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false,
  });
});
