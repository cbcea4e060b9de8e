import { type ServerOptions, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { AIGolosError, newId, ValidationError } from '@aigolos/contracts';
import type { ConnectionError, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { toProblem } from '../errors/error-body.ts';
import { ERROR_TABLE } from '../errors/error-table.ts';
import { REQUEST_ID_HEADER } from './request-id.ts';

/** Of the request line with its address and of all headers, in bytes. */
const HEAD_BYTES = 16 * 1024;
const MAX_HEADERS = 100;
/** Node reads the first of several; whoever stands before it may read another one. */
const SENT_ONCE = new Set(['host', 'authorization', 'content-type']);
/** How long the head of a request may take. */
const HEAD_MS = 20_000;
const LOOK_EVERY_MS = 5_000;
/** As Apache's mod_reqtimeout has it: a body that comes more slowly is there to hold a connection. */
const BODY_BYTES_PER_SECOND = 500;

/** What Node's server itself holds every request to. Its parser is the strict one: what two readers could read in two ways is refused. */
export const HTTP_OPTIONS: ServerOptions = {
  insecureHTTPParser: false,
  requireHostHeader: true,
  maxHeaderSize: HEAD_BYTES,
  headersTimeout: HEAD_MS,
  connectionsCheckingInterval: LOOK_EVERY_MS,
};

export interface ConnectionLimits {
  /** A body that brings less than 500 bytes a second, counted over this time, is given up with its connection. */
  slowBodyMs: number;
  /** A client that takes nothing of its answer for so long is left; the job behind it goes on. */
  slowReaderMs: number;
}

/** The newest answer on each connection. */
const newestAnswer = new WeakMap<Socket, ServerResponse>();

/** No request holds a connection or memory for nothing: heads are bounded, bodies come, and answers are read. */
export const connectionLimits = fp<ConnectionLimits>(async (app, { slowBodyMs, slowReaderMs }) => {
  // Node would leave out what is beyond its limit, and so read another request than whoever stands before it.
  app.server.maxHeadersCount = 0;
  app.addHook('onRequest', async ({ raw }, reply) => {
    newestAnswer.set(raw.socket, reply.raw);
    assertHeaders(raw.rawHeaders);
  });
  app.addHook('onRequest', async (request) => watchBody(request, slowBodyMs));
  app.addHook('onSend', async (request, reply) => watchReader(request, reply, slowReaderMs));
});

/** @param raw names and values in turn, as they were sent. */
function assertHeaders(raw: string[]): void {
  if (raw.length / 2 > MAX_HEADERS) {
    throw new ValidationError(`A request has at most ${MAX_HEADERS} headers.`, { code: 'HEADERS_TOO_LARGE' });
  }
  const seen = new Set<string>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]?.toLowerCase() ?? '';
    if (!SENT_ONCE.has(name)) continue;
    if (seen.has(name)) throw new ValidationError(`The header ${name} was sent twice; send it once.`, { param: name });
    seen.add(name);
  }
}

function watchBody({ raw }: FastifyRequest, windowMs: number): void {
  if (!raw.headers['transfer-encoding'] && !Number(raw.headers['content-length'])) return;
  const { socket } = raw;
  let read = socket.bytesRead;
  const timer = setInterval(() => {
    // What waits to be read by us is no fault of the client's.
    const isSlow = socket.bytesRead - read < (BODY_BYTES_PER_SECOND * windowMs) / 1_000 && raw.readableLength === 0;
    if (isSlow && !raw.complete) socket.destroy();
    read = socket.bytesRead;
  }, windowMs);
  const stop = () => clearInterval(timer);
  raw.once('end', stop);
  raw.once('close', stop);
}

/** The socket's clock begins anew with whatever of the answer is taken. */
function watchReader({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply, idleMs: number): void {
  raw.setTimeout(idleMs, () => {
    if (socket.writableLength > 0) socket.destroy();
    // There was nothing to be read: whoever waits for more of it may wait on.
    else raw.setTimeout(idleMs);
  });
}

/** Answers what could not be read as a request, for which there is no route that could, and ends its connection. */
export function refuseConnection(error: ConnectionError, socket: Socket): void {
  const answer = newestAnswer.get(socket);
  // An answer that is under way is not to have another one in it.
  const isAnswering = answer?.headersSent === true && !answer.writableFinished;
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) return void socket.destroy();
  const id = newId('request');
  const refusal = toRefusal(error.code);
  const { status } = ERROR_TABLE[refusal.code];
  const body = JSON.stringify(toProblem(refusal, { url: '', id }));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `${REQUEST_ID_HEADER}: ${id}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function toRefusal(code: string): AIGolosError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ValidationError(`The address and the headers of a request have at most ${HEAD_BYTES} bytes.`, {
        code: 'HEADERS_TOO_LARGE',
      });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ValidationError(`The headers of a request must be there within ${HEAD_MS / 1_000} s.`, {
        code: 'REQUEST_TIMEOUT',
      });
    default:
      return new ValidationError('This is not a well-formed HTTP/1.1 request.');
  }
}
