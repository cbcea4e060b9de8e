import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { useMongo, useRedis } from '@aigolos/testing';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type House, openHouse } from './harness.ts';
import { makeCallers } from './tenants/callers.ts';
import { checkCallers, checkPlace, type Tenants } from './tenants/check.ts';
import { type CommandCounter, startCommandCounter } from './tenants/command-counter.ts';
import { type ApiDescription, gapsIn, operationsOf } from './tenants/operations.ts';
import { PLANTED_ROWS, startPlanted } from './tenants/planted.ts';
import { ROWS } from './tenants/rows.ts';

const DESCRIPTION = join(import.meta.dirname, '..', '..', '..', 'docs', 'openapi.json');
const described = JSON.parse(readFileSync(DESCRIPTION, 'utf8')) as ApiDescription;
const OPERATIONS = [...operationsOf(described).keys()];

const redis = useRedis();
const mongo = useMongo();
let house: House;
let counter: CommandCounter;
let tenants: Tenants;
beforeAll(async () => {
  counter = await startCommandCounter(mongo.newDatabaseUrl());
  house = await openHouse(redis, { newDatabaseUrl: () => counter.through(mongo.newDatabaseUrl()) });
  const { url, db, blobs } = house;
  const callers = await makeCallers(db.access);
  const as = ({ account }: { account: string }) => ({ db, blobs, account });
  const { owner, stranger, admin } = callers;
  tenants = { url, callers, counter, owner: as(owner), stranger: as(stranger), admin: as(admin) };
});
afterAll(async () => {
  await house?.close();
  await counter?.close();
});

test('the routes that are served are those that are described', async () => {
  const served = (await (await fetch(new URL('/openapi.json', house.url))).json()) as ApiDescription;
  expect([...operationsOf(served).keys()].toSorted()).toEqual(OPERATIONS.toSorted());
});

test('every row is of a route', () => {
  expect(Object.keys(ROWS).filter((name) => !OPERATIONS.includes(name))).toEqual([]);
});

describe.each(OPERATIONS)('%s', (name) => {
  const row = ROWS[name];

  test('has a row with its scope and all of its ids', () => {
    expect(gapsIn(described, name, row)).toEqual([]);
  });

  test('answers each caller as it may', async () => {
    expect(row && (await checkCallers(tenants, name, row))).toEqual([]);
  });

  const places = (row?.ids ?? []).map((place) => [place.at, place.of, place] as const);
  test.each(places)('has nothing to say of a %s (%s) of another account', async (_at, _of, place) => {
    expect(row && (await checkPlace(tenants, name, { row, place }))).toEqual([]);
  });
});

describe('a route that was planted', () => {
  let planted: FastifyInstance;
  beforeAll(async () => {
    planted = await startPlanted(house.db);
  });
  afterAll(() => planted?.close());

  async function breachesOf(name: string): Promise<string[]> {
    const row = PLANTED_ROWS[name];
    const description = planted.swagger() as unknown as ApiDescription;
    const gaps = gapsIn(description, name, row);
    const { port } = planted.server.address() as AddressInfo;
    const there = { ...tenants, url: `http://127.0.0.1:${port}` };
    if (!row) return gaps;
    const [place] = row.ids ?? [];
    const ofPlace = place ? await checkPlace(there, name, { row, place }) : [];
    return [...gaps, ...(await checkCallers(there, name, row)), ...ofPlace];
  }

  test.each([
    ['that ignores the account', 'GET /v1/leaks/{id}', 'a stranger, path.id: a foreign one is told from a missing one'],
    ['that says why it refuses', 'GET /v1/hints/{id}', 'a stranger, path.id: a foreign one is told from a missing one'],
    ['that takes longer to refuse', 'GET /v1/detours/{id}', 'asked find jobs, find jobs, and find jobs'],
    ['that asks nobody who he is', 'GET /v1/open/{id}', 'a revoked key is answered 200'],
    ['that names another scope', 'GET /v1/open/{id}', 'takes keys for public, not for jobs:read'],
    ['that has no row', 'GET /v1/rowless/{id}', 'has no row'],
  ])('%s is found', async (_, name, breach) => {
    expect(await breachesOf(name)).toEqual(expect.arrayContaining([expect.stringContaining(breach)]));
  });

  test('and that is right is not', async () => {
    expect(await breachesOf('GET /v1/right/{id}')).toEqual([]);
  });
});
