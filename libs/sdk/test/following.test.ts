import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ApiError, ConnectionError, type JobEvent } from '../src/index.ts';
import { cut, job, json, problem, serve } from './service.ts';

const sse = (id: string, event: string, data: unknown) =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** Sends these pieces, then ends the answer or cuts it off. */
function streaming(pieces: string[], end: 'end' | 'cut' = 'end', headers: Record<string, string> = {}) {
  return async (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    for (const piece of pieces) {
      if (!response.write(piece)) await once(response, 'drain');
    }
    if (end === 'end') response.end();
    else setImmediate(() => request.socket.destroy());
  };
}

describe('waiting', () => {
  test('goes on over a cut line and a server that restarts, until the job has ended', async () => {
    const ended = job({ status: 'completed' });
    const restarting = problem(503, {}, { 'retry-after': '0' });
    const cutWhileHeld: typeof cut = (request) => void setTimeout(() => request.socket.destroy(), 50);
    await using service = await serve(json(200, job()), cutWhileHeld, restarting, json(200, ended));
    expect(await service.client.jobs.wait('trn_1')).toEqual(ended);
    expect(new Set(service.asked)).toEqual(new Set(['GET /v1/jobs/trn_1?wait=30']));
    expect(service.asked).toHaveLength(4);
  });

  test('ends with its signal while the server holds it', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    await using service = await serve(() => stop.abort(reason));
    await expect(service.client.jobs.wait('trn_1', { signal: stop.signal })).rejects.toBe(reason);
  });

  test('for the result of a job that failed throws what it failed with', async () => {
    const failed = job({ id: 'cht_1', status: 'failed' });
    const error = { message: 'The engine stopped.', type: 'server_error', param: null, code: 'llm_engine_failed' };
    await using service = await serve(json(202, job({ id: 'cht_1' })), json(200, failed), json(500, { error }));
    const { chat } = service.client;
    const submitted = await chat.submit({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] });
    await expect(submitted.result()).rejects.toMatchObject({ name: 'ApiError', code: 'LLM_ENGINE_FAILED' });
  });
});

describe('events', () => {
  test('come once each over a cut line, which is resumed after the last of them', async () => {
    const resumedAfter: unknown[] = [];
    const first = streaming([sse('1', 'job.queued', {}), ': still here\n\n', sse('2', 'job.started', {})], 'cut');
    const second = streaming([sse('3', 'job.progress', { progress: 0.5 }), sse('4', 'job.completed', {})]);
    await using service = await serve(
      (request, response) => first(request, response),
      (request, response) => {
        resumedAfter.push(request.headers['last-event-id']);
        return second(request, response);
      },
    );
    const events = await Array.fromAsync(service.client.jobs.events('trn_1'));
    expect(events.map(({ id, type }) => [id, type])).toEqual([
      ['1', 'job.queued'],
      ['2', 'job.started'],
      ['3', 'job.progress'],
      ['4', 'job.completed'],
    ]);
    expect(events[2]?.data).toEqual({ progress: 0.5 });
    expect(resumedAfter).toEqual(['2']);
  });

  test('of a service without a stream of them are what has changed when it is asked', async () => {
    const none = problem(404, { code: 'ROUTE_NOT_FOUND', detail: 'There is no route.' });
    const views = [job(), job({ status: 'in_progress' }), job({ status: 'in_progress', progress: 0.5 })];
    await using service = await serve(none, ...[...views, job({ status: 'failed' })].map((view) => json(200, view)));
    const events: JobEvent[] = await Array.fromAsync(service.client.jobs.events('trn_1'));
    expect(events.map(({ type }) => type)).toEqual(['job.queued', 'job.started', 'job.progress', 'job.failed']);
  });

  test('of a job that is not there are an error, at once', async () => {
    await using service = await serve(problem(404, { code: 'JOB_NOT_FOUND', detail: 'There is no job trn_1.' }));
    await expect(Array.fromAsync(service.client.jobs.events('trn_1'))).rejects.toThrow(ApiError);
  });

  test('can be left: the connection is closed', async () => {
    const closed = Promise.withResolvers<void>();
    await using service = await serve((request, response) => {
      request.socket.once('close', closed.resolve);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(sse('1', 'job.queued', {}));
    });
    for await (const { type } of service.client.jobs.events('trn_1')) {
      expect(type).toBe('job.queued');
      break;
    }
    await closed.promise;
  });
});

describe('a streamed answer', () => {
  const CHAT = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'hi' }] };
  const chunk = (content: string) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;

  test('comes piece by piece, characters whole wherever the network cuts them', async () => {
    const bytes = Buffer.from(`${chunk('Привет')}${chunk(' 🎉')}data: [DONE]\n\n`);
    await using service = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-job-id': 'cht_1' });
      for (let at = 0; at < bytes.length; at += 3) response.write(bytes.subarray(at, at + 3));
      response.end();
    });
    const stream = await service.client.chat.stream(CHAT);
    expect(stream.jobId).toBe('cht_1');
    const texts = (await Array.fromAsync(stream)).map(({ choices }) => choices[0]?.delta.content);
    expect(texts).toEqual(['Привет', ' 🎉']);
  });

  test.each([
    ['ends without its end', 'end'],
    ['is cut off', 'cut'],
  ] as const)('that %s is an error with the id of the job, which goes on', async (_, end) => {
    await using service = await serve(streaming([chunk('half')], end, { 'x-job-id': 'cht_1' }));
    const stream = await service.client.chat.stream(CHAT);
    const read = Array.fromAsync(stream);
    await expect(read).rejects.toThrow(ConnectionError);
    await expect(read).rejects.toMatchObject({ jobId: 'cht_1' });
  });

  test('whose job fails on the way throws what it failed with', async () => {
    const error = { message: 'It stopped.', type: 'server_error', param: null, code: 'llm_engine_failed' };
    await using service = await serve(streaming([chunk('half'), `data: ${JSON.stringify({ error })}\n\n`]));
    const stream = await service.client.chat.stream(CHAT);
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'LLM_ENGINE_FAILED', message: 'It stopped.' });
  });
});
