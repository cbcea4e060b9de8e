import type { FastifyInstance } from 'fastify';

/** The methods of the routes that a path has, in alphabetical order; none where it has no route at all. */
export type AllowedMethods = (path: string) => string[];

/** Knows every route that is registered after it. */
export function createAllowedMethods(app: FastifyInstance): AllowedMethods {
  const byPattern = new Map<string, { matches: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = byPattern.get(url) ?? { matches: toRegExp(url), methods: new Set() };
    for (const name of [method].flat()) known.methods.add(name);
    byPattern.set(url, known);
  });
  return (path) => {
    const fitting = [...byPattern.values()].filter(({ matches }) => matches.test(path));
    return [...new Set(fitting.flatMap(({ methods }) => [...methods]))].toSorted();
  };
}

function toRegExp(pattern: string): RegExp {
  const source = RegExp.escape(pattern)
    .replaceAll(/\\x3a\w+|:\w+/g, '[^/]+')
    .replaceAll('\\*', '.*');
  return new RegExp(`^${source}$`);
}
