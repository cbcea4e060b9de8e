import { BadRequestError } from 'openai';
import { describe, expect, test } from 'vitest';
import type { Stack } from '../test/stack.ts';
import { type Answer, type Case, type RouteCases, readAnswer } from './case.ts';
import { jobHeaders, ROUTES, WORK_ROUTES } from './cases/index.ts';
import { breachesOf, component, openAIApi } from './openai-api.ts';

/** Every entry of the table in docs/openai-compatibility.md, tried. */
export function describeRoutes(house: () => Stack): void {
  describe.each(ROUTES)('$route', (route) => {
    test.each(route.cases.map((entry) => [titleOf(entry), entry] as const))('%s', async (_, entry) => {
      expect(await brokenPromises(house(), route, entry)).toEqual([]);
    });

    test('says of every parameter that OpenAI has what becomes of it', () => {
      const said = new Set(route.cases.map(({ parameter }) => parameter));
      expect(openAIApi.operations[route.route]?.parameters.filter((name) => !said.has(name))).toEqual([]);
    });
  });

  describe.each(WORK_ROUTES)('$route, as a job', (route) => {
    test.each(jobHeaders.map((entry) => [titleOf(entry), entry] as const))('%s', async (_, entry) => {
      expect(await brokenPromises(house(), route, entry)).toEqual([]);
    });
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

/** Sends a request that shows an entry. @returns what is not as the entry says. @throws where `shows` does. */
async function brokenPromises({ client }: Stack, route: RouteCases, entry: Case): Promise<string[]> {
  const request = { ...route.smallest, ...entry.send };
  const sent = route.call(client, request, { headers: entry.headers ?? {} });
  if (entry.support === 'refused') return notRefused(sent, entry);
  const answer = await readAnswer(await sent);
  entry.shows?.(answer);
  return [...(answer.status === 200 ? invalid(answer, route, entry) : []), ...notWarned(answer, entry)];
}

async function notRefused(sent: Promise<Response>, { parameter }: Case): Promise<string[]> {
  const error: unknown = await sent.catch((thrown: unknown) => thrown);
  if (!(error instanceof BadRequestError)) return [`it was not refused: ${String(error)}`];
  const named = error.param?.split('.')[0]?.replace('[]', '');
  const wrong = named === parameter ? [] : [`the error names ${named}: ${error.message}`];
  return [...wrong, ...breachesOf(component('ErrorResponse'), { error: error.error })];
}

/** What is left out is said, and nothing else is. */
function notWarned({ headers }: Answer, { support, parameter, value = parameter }: Case): string[] {
  const warnings = (headers.get('x-warnings') ?? '').split(' | ').filter((text) => text.startsWith('Ignored'));
  if (support !== 'ignored') return warnings;
  return new RegExp(`\\b(${parameter}|${value})\\b`).test(warnings.join()) ? [] : ['no warning names it'];
}

/** Whatever is JSON, whole or as an event, is what OpenAI's own description says. */
function invalid({ json, events = [] }: Answer, { route }: RouteCases, { schema }: Case): string[] {
  const described = openAIApi.operations[route];
  if (!described) return [`OpenAI's description has no ${route}`];
  const named = schema && component(schema);
  const [whole, event] = [named ?? described.json, named ?? described.event];
  // Of some answers, such as what a deletion says, it has no schema.
  const ofWhole = json === undefined || whole === undefined ? [] : breachesOf(whole, json);
  return [...ofWhole, ...events.flatMap((one) => breachesOf(event, one))];
}

function titleOf({ parameter, value, support }: Case): string {
  return [[parameter, value].filter(Boolean).join(' '), `is ${support}`].filter(Boolean).join(' ');
}

/** Names of path parameters differ. */
function shapeOf(route: string): string {
  return route.replaceAll(/\{[^}]*\}/g, '{}');
}
