import { createHash } from 'node:crypto';
import { useMongo, useRedis } from '@aigolos/testing';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
});
afterAll(() => house.close());

const get = (path: string) => fetch(new URL(path, house.url));

interface Operation {
  summary?: string;
  tags?: string[];
  security?: unknown[];
  responses: Record<string, unknown>;
}

test('the description is valid OpenAPI 3.2, and every operation says what it is, who may call it and how it fails', async () => {
  const description = (await (await get('/openapi.json')).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(description));
  expect(errors).toBeUndefined();
  expect([valid, validator.version]).toEqual([true, '3.2']);
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, { summary, tags, security, responses }] of Object.entries(operations)) {
      const name = `${method} ${path}`;
      expect(summary, name).toBeTruthy();
      expect(tags, name).toHaveLength(1);
      expect(security, name).toBeDefined();
      const statuses = Object.keys(responses);
      expect(statuses, name).toEqual(expect.arrayContaining(['4XX', '5XX']));
      expect(
        statuses.some((status) => /^2\d\d$/.test(status)),
        name,
      ).toBe(true);
    }
  }
});

test('/docs shows it by scripts of our own alone, which its policy allows by what they are', async () => {
  const page = await get('/docs');
  expect([page.status, new URL(page.url).pathname]).toEqual([200, '/docs/']);
  const html = await page.text();
  expect(html).toContain('/openapi.json');
  expect(html).not.toMatch(/https?:\/\//);
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  const [inline = ''] = [...html.matchAll(/<script[^>]*>([^<]+)<\/script>/g)].map(([, source = '']) => source);
  expect(inline).not.toBe('');
  expect(policy).toContain(`'sha256-${createHash('sha256').update(inline).digest('base64')}'`);
  const script = await get('/docs/js/scalar.js');
  expect(script.headers.get('content-type')).toContain('application/javascript');
  expect((await script.text()).length).toBeGreaterThan(100_000);
});
