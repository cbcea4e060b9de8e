import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { AsrEngine } from './asr-engine.ts';

/** What a client sent: the form's fields, and the samples of its WAV file. */
export interface ReceivedCall {
  path: string;
  authorization: string | undefined;
  fields: Record<string, string[]>;
  samples: Float32Array;
}

export interface FakeOpenAIServer {
  baseUrl: string;
  /** Without the samples, which are many. */
  calls: Omit<ReceivedCall, 'samples'>[];
  close(): Promise<void>;
}

export type Answer = { status: number; body: unknown };

/** An HTTP server that answers transcriptions as OpenAI does; by what `answer` makes of them. */
export async function startOpenAIServer(
  answer: (call: ReceivedCall, signal: AbortSignal) => Promise<Answer>,
): Promise<FakeOpenAIServer> {
  const calls: FakeOpenAIServer['calls'] = [];
  const server = createServer((request, response) => {
    respond(request, response).catch(() => response.destroy());
  });
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const { samples, ...rest } = await readCall(request);
    calls.push(rest);
    const { status, body } = await answer({ ...rest, samples }, gone.signal);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Answers as a server whose model is `engine`: language by its English name, texts of segments trimmed, ids from 0. */
export function answerBy(engine: AsrEngine): (call: ReceivedCall, signal: AbortSignal) => Promise<Answer> {
  return async ({ fields, samples }, signal) => {
    const wordTimestamps = fields['timestamp_granularities[]']?.includes('word') ?? false;
    const prompt = fields['prompt']?.[0];
    const { segments, words } = await engine.transcribe(samples, { prompt, wordTimestamps }, signal);
    const trimmed = segments.map((segment) => ({ ...segment, text: segment.text.trim() }));
    const text = trimmed.map((segment) => segment.text).join(' ');
    return { status: 200, body: { task: 'transcribe', language: 'english', text, segments: trimmed, words } };
  };
}

async function readCall(request: IncomingMessage): Promise<ReceivedCall> {
  const contentType = request.headers['content-type'] ?? '';
  const form = await new Response(new Uint8Array(await buffer(request)), {
    headers: { 'content-type': contentType },
  }).formData();
  const file = form.get('file') as File;
  const fields: Record<string, string[]> = {};
  for (const [name, value] of form) if (typeof value === 'string') (fields[name] ??= []).push(value);
  const { authorization } = request.headers;
  return { path: request.url ?? '', authorization, fields, samples: samplesOf(Buffer.from(await file.arrayBuffer())) };
}

/** Reads what python's wave module and others read: the sizes in the header must be right. */
function samplesOf(wav: Buffer): Float32Array {
  const header = [wav.toString('latin1', 0, 4), wav.readUInt32LE(4) + 8, wav.toString('latin1', 8, 16)];
  if (header.join() !== ['RIFF', wav.length, 'WAVEfmt '].join()) throw new Error(`not a WAV file: ${header.join()}`);
  const [encoding, channels, rate] = [wav.readUInt16LE(20), wav.readUInt16LE(22), wav.readUInt32LE(24)];
  if (encoding !== 1 || channels !== 1 || rate !== 16_000) throw new Error('not 16-bit mono at 16 kHz');
  const bytes = wav.readUInt32LE(40);
  if (bytes !== wav.length - 44) throw new Error(`the data is ${wav.length - 44} bytes, not ${bytes}`);
  return Float32Array.from({ length: bytes / 2 }, (_, index) => wav.readInt16LE(44 + index * 2) / 0x7fff);
}
