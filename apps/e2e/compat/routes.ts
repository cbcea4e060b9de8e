import { BadRequestError } from 'openai';
import { describe, expect, test } from 'vitest';
import type { Stack } from '../test/stack.ts';
import { type Answer, type Case, type RouteCases, readAnswer } from './case.ts';
import { jobHeaders, ROUTES, WORK_ROUTES } from './cases/index.ts';
import { breachesOf, component, openAIApi } from './openai-api.ts';

/** Every entry of the table in docs/openai-compatibility.md, tried. */
export function describeRoutes(house: () => Stack): void {
  describe.each(ROUTES)('$route', (route) => {
    test.each(route.cases.map((entry) => [titleOf(entry), entry] as const))('%s', (_, entry) =>
      hold(house(), route, entry),
    );

    test('says of every parameter that OpenAI has what becomes of it', () => {
      const said = new Set(route.cases.map(({ parameter }) => parameter));
      expect(openAIApi.operations[route.route]?.parameters.filter((name) => !said.has(name))).toEqual([]);
    });
  });

  describe.each(WORK_ROUTES)('$route, as a job', (route) => {
    test.each(jobHeaders.map((entry) => [titleOf(entry), entry] as const))('%s', (_, entry) =>
      hold(house(), route, entry),
    );
  });

  test("every route of OpenAI's that is served has its entries", async () => {
    const description = (await (await fetch(`${house().url}/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    const served = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => shapeOf(`${method.toUpperCase()} ${path.replace(/^\/v1/, '')}`)),
    );
    const theirs = Object.keys(openAIApi.operations).filter((operation) => served.includes(shapeOf(operation)));
    expect(ROUTES.map(({ route }) => route).toSorted()).toEqual(theirs.toSorted());
  });
}

async function hold({ client }: Stack, route: RouteCases, entry: Case): Promise<void> {
  const request = { ...route.smallest, ...entry.send };
  const sent = route.call(client, request, { headers: entry.headers ?? {} });
  if (entry.support === 'refused') return assertRefused(sent, entry);
  const answer = await readAnswer(await sent);
  if (answer.status === 200) assertValid(answer, route, entry);
  const warnings = (answer.headers.get('x-warnings') ?? '').split(' | ').filter((text) => text.startsWith('Ignored'));
  if (entry.support === 'ignored') expect(warnings.join()).toMatch(new RegExp(`\\b${entry.parameter}\\b`));
  else expect(warnings).toEqual([]);
  entry.shows?.(answer);
}

async function assertRefused(sent: Promise<Response>, { parameter }: Case): Promise<void> {
  const error: unknown = await sent.catch((thrown: unknown) => thrown);
  if (!(error instanceof BadRequestError)) throw new Error(`it was not refused: ${String(error)}`);
  expect(error.param?.split('.')[0]).toBe(parameter);
  expect(breachesOf(component('ErrorResponse'), { error: error.error })).toEqual([]);
}

/** Whatever is JSON, whole or as an event, is what OpenAI's own description says. */
function assertValid({ json, events = [] }: Answer, { route }: RouteCases, { schema }: Case): void {
  const described = openAIApi.operations[route];
  if (!described) throw new Error(`OpenAI's description has no ${route}`);
  if (json !== undefined) expect(breachesOf(schema ? component(schema) : described.json, json)).toEqual([]);
  for (const event of events) expect(breachesOf(described.event, event)).toEqual([]);
}

function titleOf({ parameter, value, support }: Case): string {
  return [[parameter, value].filter(Boolean).join(' '), `is ${support}`].filter(Boolean).join(' ');
}

/** Names of path parameters differ. */
function shapeOf(route: string): string {
  return route.replaceAll(/\{[^}]*\}/g, '{}');
}
