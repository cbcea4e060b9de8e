import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ApiError, ConnectionError, createClient } from '../src/index.ts';
import { cut, job, json, problem, serve } from './service.ts';

const sse = (id: string, event: string, data: object) =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify({ type: event, ...data })}\n\n`;

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
  test('come once each over a cut line, which is resumed after the last whole one of them', async () => {
    const resumedAfter: unknown[] = [];
    const begun = { job: job({ status: 'in_progress' }) };
    const half = sse('3', 'job.progress', { id: 'trn_1', status: 'in_progress', step: null, progress: 0.5 });
    const first = streaming(
      [sse('1', 'job.queued', { job: job() }), ': still here\n\n', sse('2', 'job.started', begun), half.slice(0, 40)],
      'cut',
    );
    const second = streaming([half, sse('4', 'job.completed', { job: job({ status: 'completed' }) })]);
    await using service = await serve(
      (request, response) => first(request, response),
      (request, response) => {
        resumedAfter.push(request.headers['last-event-id']);
        return second(request, response);
      },
    );
    const events = await Array.fromAsync(service.client.jobs.events('trn_1'));
    expect(events.map(({ eventId, type }) => [eventId, type])).toEqual([
      ['1', 'job.queued'],
      ['2', 'job.started'],
      ['3', 'job.progress'],
      ['4', 'job.completed'],
    ]);
    expect(events.map((event) => (event.type === 'job.progress' ? event.progress : undefined))[2]).toBe(0.5);
    expect(events.map((event) => ('job' in event ? event.job.status : undefined))[3]).toBe('completed');
    expect(resumedAfter).toEqual(['2']);
  });

  test('go on where another process has left them, and there are none after the last one', async () => {
    const resumedAfter: unknown[] = [];
    const end = streaming([sse('4', 'job.completed', { job: job({ status: 'completed' }) })]);
    await using service = await serve(
      (request, response) => {
        resumedAfter.push(request.headers['last-event-id']);
        return end(request, response);
      },
      (request, response) => {
        resumedAfter.push(request.headers['last-event-id']);
        response.writeHead(204).end();
      },
    );
    const { jobs } = service.client;
    expect((await Array.fromAsync(jobs.events('trn_1', { after: '3' }))).map(({ type }) => type)).toEqual([
      'job.completed',
    ]);
    expect(await Array.fromAsync(jobs.events('trn_1', { after: '4' }))).toEqual([]);
    expect(resumedAfter).toEqual(['3', '4']);
  });

  test('come over any number of connections, as long as each of them says something', async () => {
    const living = streaming([': still here\n\n'], 'cut');
    const end = streaming([sse('1', 'job.completed', { job: job({ status: 'completed' }) })]);
    await using service = await serve(living, living, living, end);
    const patient = createClient({ baseUrl: service.url, apiKey: 'sk-test', maxRetries: 1 });
    expect(await Array.fromAsync(patient.jobs.events('trn_1'))).toHaveLength(1);
    expect(service.asked).toHaveLength(4);
  });

  test('of a service that says nothing are given up in the end', async () => {
    await using service = await serve(cut, cut, json(200, {}));
    const impatient = createClient({ baseUrl: service.url, apiKey: 'sk-test', maxRetries: 1 });
    await expect(Array.fromAsync(impatient.jobs.events('trn_1'))).rejects.toThrow(ConnectionError);
    expect(service.asked).toHaveLength(2);
  });

  test('of a job that is not there are an error, at once', async () => {
    await using service = await serve(problem(404, { code: 'JOB_NOT_FOUND', detail: 'There is no job trn_1.' }));
    await expect(Array.fromAsync(service.client.jobs.events('trn_1'))).rejects.toThrow(ApiError);
  });

  test('end with the error that the service ends them with, such as of a key that was revoked', async () => {
    const error = { message: 'It was revoked.', type: 'authentication_error', param: null, code: 'api_key_revoked' };
    await using service = await serve(
      streaming([sse('1', 'job.queued', {}), `data: ${JSON.stringify({ error })}\n\n`]),
    );
    const read = Array.fromAsync(service.client.jobs.events('trn_1'));
    await expect(read).rejects.toMatchObject({ code: 'API_KEY_REVOKED', jobId: 'trn_1' });
    expect(service.asked).toHaveLength(1);
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
