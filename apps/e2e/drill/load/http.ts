import { setTimeout as sleep } from 'node:timers/promises';

/** What came back of one call: an answer, or none, in which case what was asked for may or may not have come about. */
export type Outcome =
  | { answered: true; response: Response; ms: number }
  | { answered: false; error: string; ms: number };

export interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/** Calls the gateways in turn; never throws. */
export function createCaller(urls: readonly string[], apiKey: string) {
  let turn = 0;
  return async (path: string, { headers, timeoutMs = TIMEOUT_MS, ...call }: Call = {}): Promise<Outcome> => {
    const url = `${urls[turn++ % urls.length]}${path}`;
    const begun = Date.now();
    const ms = () => Date.now() - begun;
    try {
      const response = await fetch(url, {
        ...call,
        headers: { authorization: `Bearer ${apiKey}`, ...headers },
        signal: AbortSignal.timeout(timeoutMs),
        ...(call.body instanceof ReadableStream && { duplex: 'half' }),
      });
      return { answered: true, response, ms: ms() };
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } };
      return { answered: false, error: cause?.code ?? String(error), ms: ms() };
    }
  };
}
export type Caller = ReturnType<typeof createCaller>;

const BOUNDARY = '----drill';

const CLIP = { filename: 'clip.wav', type: 'audio/wav' };

/** A form with one file and some fields. */
export function multipart(
  file: Buffer,
  fields: Record<string, string>,
  { filename, type } = CLIP,
): Buffer<ArrayBuffer> {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="${filename}"\r\ncontent-type: ${type}\r\n\r\n`;
  return Buffer.concat([Buffer.from(parts.join('') + head), file, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]);
}
export const MULTIPART_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/** The same bytes in pieces with pauses between them, as from a slow line. */
export function slowly(bytes: Uint8Array, pieces: number, pauseMs: number): ReadableStream<Uint8Array> {
  const size = Math.ceil(bytes.length / pieces);
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at > 0) await sleep(pauseMs);
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
      if (at >= bytes.length) controller.close();
    },
  });
}
