import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import type { Logger } from '@aigolos/runtime';
import { execa } from 'execa';
import { type HostMessage, HostMessageSchema, type HostRequest, type HostSegment } from './host-protocol.ts';

export interface AsrHostOptions {
  /** A Python that has what python/requirements.txt names. */
  pythonPath: string;
  /** A CTranslate2 Whisper model. */
  modelDir: string;
  /** Threads of one transcription; all cores unless said. */
  threads?: number | undefined;
  log: Logger;
}

export interface HostTranscript {
  /** Absent where no speech was found. */
  language: string | null;
  segments: HostSegment[];
}

/** A child process with a model loaded. Takes one call at a time. */
export interface AsrHost {
  readonly languages: readonly string[];
  hasEnded(): boolean;
  /** @throws HostError when the child cannot serve the call or ends before it has. */
  transcribe(samples: Float32Array, request: HostRequest): Promise<HostTranscript>;
  /** Asks it to give up the call at the next segment. */
  cancel(): void;
  kill(): void;
  /** Resolves when the child is gone. */
  readonly ended: Promise<unknown>;
}

class HostError extends Error {}

const HOST_SCRIPT = join(import.meta.dirname, '..', '..', 'python', 'asr_host.py');
const START_TIMEOUT_MS = 180_000;
const STDERR_CHARACTERS = 4_000;

/**
 * With OpenMP's default, threads that wait for each other spin: on cores shared with anything else a clip of 2 s then
 * takes 19 s. The model lies on disk, so no hub is ever asked.
 */
const HOST_ENV = {
  OMP_WAIT_POLICY: 'PASSIVE',
  GOMP_SPINCOUNT: '0',
  HF_HUB_OFFLINE: '1',
  HF_HUB_DISABLE_TELEMETRY: '1',
};

/**
 * Starts a child and waits until its model is loaded. The child ends with its stdin, so with this process whatever way
 * that ends, and when `signal` is aborted.
 * @throws HostError when it does not come up; the message says why in the child's own words.
 */
export async function startAsrHost(options: AsrHostOptions, signal: AbortSignal): Promise<AsrHost> {
  signal.throwIfAborted();
  const threads = options.threads ?? availableParallelism();
  const child = execa(options.pythonPath, [HOST_SCRIPT, '--model', options.modelDir, '--threads', String(threads)], {
    buffer: false,
    reject: false,
    env: HOST_ENV,
    cancelSignal: signal,
    killSignal: 'SIGKILL',
  });
  const stderr = collectStderr(child.stderr, options.log);
  let running = true;
  const ended = child.finally(() => {
    running = false;
  });
  // A write to a child that has just died fails; that it is dead shows where its answer is awaited.
  child.stdin.on('error', () => {});
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();

  async function next(): Promise<HostMessage> {
    const line = await lines.next();
    const message = line.done === true ? undefined : parseMessage(line.value);
    if (message) return message;
    // It says what nobody understands, so nothing that it says later can be trusted either.
    if (line.done !== true) child.kill();
    const { shortMessage } = await ended;
    throw new HostError(`${shortMessage ?? 'The child ended.'}\n${stderr()}`.trim());
  }

  const overdue = setTimeout(() => child.kill(), START_TIMEOUT_MS);
  const ready = await next().finally(() => clearTimeout(overdue));
  if (ready.type !== 'ready') throw new HostError(`The child began with ${ready.type}.`);
  let id = 0;
  return {
    languages: ready.languages,
    hasEnded: () => !running,
    transcribe(samples, request) {
      id += 1;
      sendCall(child.stdin, { id, samples, request });
      return readTranscript(next);
    },
    cancel() {
      child.stdin.write(`${JSON.stringify({ type: 'cancel', id })}\n`);
    },
    kill: () => void child.kill(),
    ended,
  };
}

function parseMessage(line: string): HostMessage | undefined {
  try {
    return HostMessageSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function sendCall(stdin: Writable, call: { id: number; samples: Float32Array; request: HostRequest }): void {
  const { id, samples, request } = call;
  stdin.write(`${JSON.stringify({ type: 'transcribe', id, bytes: samples.byteLength, ...request })}\n`);
  // Not copied: the pipe takes it piece by piece while the child reads.
  stdin.write(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
}

/** Reads to the end of the call, so that what comes next belongs to the next one. */
async function readTranscript(next: () => Promise<HostMessage>): Promise<HostTranscript> {
  const segments: HostSegment[] = [];
  for (;;) {
    const message = await next();
    switch (message.type) {
      case 'segment':
        segments.push(message.segment);
        break;
      case 'done':
        return { language: message.language, segments };
      case 'cancelled':
        throw new HostError('The call was cancelled.');
      case 'failed':
        throw new HostError(message.message);
      case 'ready':
        throw new HostError('The child said that it is ready in the middle of a call.');
    }
  }
}

/** Logs what the libraries say and keeps the end of it, which tells why a child died. */
function collectStderr(stream: NodeJS.ReadableStream, log: Logger): () => string {
  let tail = '';
  createInterface(stream).on('line', (line) => {
    log.debug({ line }, 'speech recogniser said');
    tail = `${tail}${line}\n`.slice(-STDERR_CHARACTERS);
  });
  return () => tail;
}
