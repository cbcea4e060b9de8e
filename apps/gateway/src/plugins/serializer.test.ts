import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { serializerCompiler } from './serializer.ts';

const ThingSchema = z.object({ id: z.string(), count: z.number().int(), name: z.string().nullish() });

function answering(answer: unknown) {
  const app = Fastify();
  app.setSerializerCompiler(serializerCompiler);
  app.get('/', { schema: { response: { 200: ThingSchema } } }, async () => answer);
  return app.inject('/');
}

test('an answer is written as its schema says, without what does not stand there', async () => {
  const answer = await answering({ id: 'a', count: 2, secret: 'x' });
  expect(answer.json()).toEqual({ id: 'a', count: 2 });
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
});

test('an answer that is not as its schema says is a fault of ours, and is not sent', async () => {
  const answer = await answering({ id: 'a', count: 1.5, secret: 'x' });
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toContain('secret');
});
