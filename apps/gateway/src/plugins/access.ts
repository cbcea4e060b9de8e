import { createHash } from 'node:crypto';
import { AuthError } from '@aigolos/contracts';
import type { ApiKeyRecord, Database } from '@aigolos/db';
import type { RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';

/** Who may call a route: everybody, the holder of an API key, the holder of an operator's key. */
export type Access = 'public' | 'user' | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    access: Access;
  }
  interface FastifyRequest {
    /** The account that the caller's key belongs to; empty on public routes. */
    account: string;
    /** Id of that key. */
    apiKey: string;
    /** Is it an operator's key? */
    isOperator: boolean;
  }
}

/** A key that was withdrawn works this much longer at most; an erasure looks once more after that. */
const KEPT_MS = 1_000;
const KEPT_KEYS = 1_000;

/** Checks every request's key before anything of its body is read. A route that does not say who may call it stops the start. */
export const accessControl = fp<{ access: Pick<Database['access'], 'findByKey'> }>(async (app, { access }) => {
  const findKey = cached((key) => access.findByKey(key));
  const routes: RouteOptions[] = [];
  app.decorateRequest('account', '');
  app.decorateRequest('apiKey', '');
  app.decorateRequest('isOperator', false);
  app.addHook('onRoute', (route) => void routes.push(route));
  // At the end, because plugins of others get theirs from a hook that runs after this one.
  app.addHook('onReady', async () => assertAllSayWho(routes));
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    const { access: needed } = request.routeOptions.config;
    if (needed === 'public') return;
    const key = keyFrom(request.headers.authorization);
    if (key === undefined) throw keyMissing();
    const record = await findKey(key);
    if (!record) throw new AuthError('This API key is not known.', { code: 'API_KEY_INVALID' });
    if (needed === 'admin' && record.role !== 'admin') {
      throw new AuthError("This page needs an operator's key (role admin).", { code: 'ACCESS_DENIED' });
    }
    request.account = record.account;
    request.apiKey = record._id;
    request.isOperator = record.role === 'admin';
  });
});

/** From `Bearer <key>`, or from the password of `Basic`, which is what browsers can send. */
export function keyFrom(authorization: string | undefined): string | undefined {
  const [scheme = '', credentials = ''] = (authorization ?? '').split(/\s+/, 2);
  if (/^bearer$/i.test(scheme)) return credentials || undefined;
  if (!/^basic$/i.test(scheme)) return undefined;
  const decoded = Buffer.from(credentials, 'base64').toString();
  return decoded.slice(decoded.indexOf(':') + 1) || undefined;
}

function keyMissing(): AuthError {
  return new AuthError('No API key was sent. Send it as "Authorization: Bearer sk-…".', { code: 'API_KEY_MISSING' });
}

/** Only keys that were found are kept, so that a new key works at once; under their hash, so that memory holds no key. */
function cached(find: (key: string) => Promise<ApiKeyRecord | undefined>): typeof find {
  const kept = new LRUCache<string, ApiKeyRecord>({ max: KEPT_KEYS, ttl: KEPT_MS });
  return async (key) => {
    const hash = createHash('sha256').update(key).digest('base64');
    const known = kept.get(hash) ?? (await find(key));
    if (known && !kept.has(hash)) kept.set(hash, known);
    return known;
  };
}

function assertAllSayWho(routes: RouteOptions[]): void {
  const silent = routes.filter(({ config }) => !config?.access);
  if (silent.length === 0) return;
  const names = silent.map(({ method, url }) => `${String(method)} ${url}`);
  throw new Error(`these routes do not say who may call them: ${names.join(', ')}`);
}
