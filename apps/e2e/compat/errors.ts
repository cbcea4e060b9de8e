import OpenAI, { APIError, ConflictError } from 'openai';
import { describe, expect, test } from 'vitest';
import type { Stack } from '../test/stack.ts';
import { type ErrorCase, errorCases, type Prepared } from './error-cases.ts';

const STATUSES = [400, 401, 403, 404, 409, 413, 415, 422];

/** Begins what the requests of the error cases find. */
export async function prepareErrors({ client }: Stack): Promise<Prepared> {
  const submit = async (content: string, headers: Record<string, string>) => {
    const body = { model: 'gpt-4o', messages: [{ role: 'user' as const, content }] };
    const response = await client.chat.completions
      .create(body, { headers: { prefer: 'respond-async', ...headers } })
      .asResponse();
    return ((await response.json()) as { id: string }).id;
  };
  const usedKey = 'a-key-of-another-chat';
  await submit('first', { 'idempotency-key': usedKey });
  return { runningJob: await submit('[[hang]]', {}), usedKey };
}

/** Each error status is the exception that Node's client has for it, with everything that it can carry. */
export function describeErrors(house: () => { stack: Stack; prepared: Prepared }): void {
  describe("errors are the client's own", () => {
    test.each(STATUSES)('%i', async (status) => {
      const { stack, prepared } = house();
      const cases = errorCases(prepared).filter(({ raised }) => raised.status === status);
      expect(cases).not.toHaveLength(0);
      for (const { title, request, raised } of cases) {
        const error = await raisedBy(stack, request);
        expect(error.constructor.name, title).toBe(raised.type);
        expect(error, title).toMatchObject({
          status,
          code: raised.code,
          param: raised.param,
          type: expect.stringMatching(/_error$/),
          message: expect.stringContaining(raised.message),
          requestID: expect.stringMatching(/^req_/),
        });
      }
    });

    test('409 where a job is cancelled whose answer is waited for; the client does not submit it anew', async () => {
      const { stack } = house();
      const client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: stack.apiKey, maxRetries: 2 });
      const body = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: '[[hang]]' }] };
      const key = { 'idempotency-key': 'waited-for' };
      const waiting = client.chat.completions.create(body, { headers: key }).catch((error: unknown) => error);
      const again = await client.chat.completions
        .create(body, { headers: { ...key, prefer: 'respond-async' } })
        .asResponse();
      const { id } = (await again.json()) as { id: string };
      await client.post(`/jobs/${id}/cancel`);
      const error = await waiting;
      expect(error).toBeInstanceOf(ConflictError);
      expect(error).toMatchObject({ code: 'job_cancelled', message: expect.stringContaining('was cancelled') });
      const jobs = await client.get<{ data: { id: string }[] }>('/jobs', { query: { status: 'cancelled' } });
      expect(jobs.data.map((job) => job.id)).toEqual([id]);
    });
  });
}

async function raisedBy({ url, apiKey }: Stack, request: ErrorCase['request']): Promise<APIError> {
  const { method, path, apiKey: other = apiKey, ...options } = request;
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: other, maxRetries: 0 });
  const error = await client[method](path, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof APIError)) throw new Error(`${method} ${path} raised ${String(error)}`);
  return error;
}
