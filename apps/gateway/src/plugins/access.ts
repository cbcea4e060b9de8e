import { createHash } from 'node:crypto';
import { AuthError, type Grant, type Scope } from '@aigolos/contracts';
import type { Database, KeyHolder } from '@aigolos/db';
import type { FastifyRequest, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import type { PageSessions } from '../sign-in/page-sessions.ts';
import { assertScope, grantOf, isOperator, whyRefused } from './grants.ts';

/** Who may call a route: everybody, the holder of an API key, the holder of an operator's key. */
export type Access = 'public' | 'user' | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    access: Access;
    /** What the key must be for; `any` where every key will do. Of a public route it is absent. */
    scope?: Scope | 'any';
  }
  interface FastifyRequest {
    /** The account that the caller's key belongs to; empty on public routes. */
    account: string;
    /** The id of the caller's key; empty on public routes. */
    apiKey: string;
    /** What that key lets its holder do; nothing on public routes. */
    readonly grant: Grant;
    /** Is it an operator's key? */
    isOperator: boolean;
  }
}

export interface AccessControlDeps {
  access: Pick<Database['access'], 'findHolder' | 'noteKeyUse'>;
  /** Where operators can sign in. */
  sessions?: PageSessions | undefined;
}

/** A key that was withdrawn works this much longer at most; an erasure looks once more after that. */
const KEPT_MS = 1_000;
const KEPT_KEYS = 1_000;
const READING = new Set(['GET', 'HEAD', 'OPTIONS']);
const NOTHING: Grant = { role: 'read-only', scopes: [] };

/** Checks every request's key before anything of its body is read. A route that does not say who may call it stops the start. */
export const accessControl = fp<AccessControlDeps>(async (app, { access, sessions }) => {
  const findHolder = cached(async (key) => {
    const holder = await access.findHolder(key);
    // It is worth no failure of the request, and nothing that waits.
    if (holder && !whyRefused(holder)) {
      access.noteKeyUse(holder.key).catch((error: unknown) => {
        app.log.debug({ err: error, apiKey: holder.key._id }, 'that a key was used was not noted');
      });
    }
    return holder;
  });
  const routes: RouteOptions[] = [];
  app.decorateRequest('account', '');
  app.decorateRequest('apiKey', '');
  const grants = new WeakMap<FastifyRequest, Grant>();
  app.decorateRequest('grant', {
    getter() {
      return grants.get(this) ?? NOTHING;
    },
  });
  app.decorateRequest('isOperator', false);
  app.addHook('onRoute', (route) => void routes.push(route));
  // At the end, because plugins of others get theirs from a hook that runs after this one.
  app.addHook('onReady', async () => assertAllSayWho(routes));
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return;
    const { access: needed, scope } = request.routeOptions.config;
    if (needed === 'public') return;
    const key = keyFrom(request.headers.authorization);
    if (key === undefined) {
      request.isOperator = (await sessions?.admit(request, reply)) ?? false;
      if (request.isOperator || reply.sent) return;
      throw keyMissing();
    }
    const holder = await findHolder(key);
    if (!holder) throw new AuthError('This API key is not known.', { code: 'API_KEY_INVALID' });
    const refused = whyRefused(holder);
    if (refused) throw refused;
    const grant = grantOf(holder);
    assertRole(grant, needed, request.method);
    if (scope !== undefined && scope !== 'any') assertScope(grant, scope);
    request.account = holder.account._id;
    request.apiKey = holder.key._id;
    grants.set(request, grant);
    request.isOperator = isOperator(grant);
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

function assertRole({ role }: Grant, needed: Access, method: string): void {
  if (needed === 'admin' && role !== 'admin') {
    throw new AuthError("This needs an operator's key (role admin).", { code: 'ACCESS_DENIED' });
  }
  if (role === 'read-only' && !READING.has(method)) {
    throw new AuthError(`This key is read-only: it may look at what is there, and not ${method}.`, {
      code: 'ACCESS_DENIED',
    });
  }
}

function keyMissing(): AuthError {
  return new AuthError('No API key was sent. Send it as "Authorization: Bearer ag_…".', { code: 'API_KEY_MISSING' });
}

/** Only keys that were found are kept, so that a new key works at once; under their hash, so that memory holds no key. */
function cached(find: (key: string) => Promise<KeyHolder | undefined>): typeof find {
  const kept = new LRUCache<string, KeyHolder>({ max: KEPT_KEYS, ttl: KEPT_MS });
  return async (key) => {
    const hash = createHash('sha256').update(key).digest('base64');
    const known = kept.get(hash) ?? (await find(key));
    if (known && !kept.has(hash)) kept.set(hash, known);
    return known;
  };
}

function assertAllSayWho(routes: RouteOptions[]): void {
  const silent = routes.filter(({ config }) => !config?.access || (config.access !== 'public' && !config.scope));
  if (silent.length === 0) return;
  const names = silent.map(({ method, url }) => `${String(method)} ${url}`);
  throw new Error(`these routes do not say who may call them, or with which scope: ${names.join(', ')}`);
}
