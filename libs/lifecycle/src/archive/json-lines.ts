import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Measured } from './metered.ts';

/** Twice what a record of the database can have. */
const LINE_MAX_BYTES = 32 * 1024 ** 2;
const LINE_FEED = 0x0a;

export interface JsonLinesWriter {
  write(value: unknown): Promise<void>;
  /** Resolves when everything is on disk. */
  close(): Promise<Measured & { lines: number }>;
  /** Closes it, whole or not. */
  destroy(): void;
}

/** Writes a file of JSON values, one a line. */
export function writeJsonLines(path: string): JsonLinesWriter {
  const stream = createWriteStream(path, { mode: 0o600 });
  // A failure is told by the write or the close that meets it.
  const ended = finished(stream).then(
    () => undefined,
    (error: Error) => error,
  );
  const hash = createHash('sha256');
  let bytes = 0;
  let lines = 0;
  return {
    async write(value) {
      const line = Buffer.from(`${JSON.stringify(value)}\n`);
      hash.update(line);
      bytes += line.length;
      lines += 1;
      if (!stream.write(line)) await once(stream, 'drain');
    },
    async close() {
      stream.end();
      const error = await ended;
      if (error) throw error;
      return { bytes, sha256: hash.digest('hex'), lines };
    },
    destroy: () => void stream.destroy(),
  };
}

/** The lines of a text as it comes, without their ends. @throws where a line is too long or no UTF-8. */
export async function* readLines(content: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let parts: Uint8Array[] = [];
  let length = 0;
  const add = (part: Uint8Array) => {
    parts.push(part);
    length += part.length;
    if (length > LINE_MAX_BYTES) throw new Error(`a line has more than ${LINE_MAX_BYTES} bytes`);
  };
  for await (const chunk of content) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      add(chunk.subarray(start, end));
      yield decoder.decode(Buffer.concat(parts));
      parts = [];
      length = 0;
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (length > 0) throw new Error('its last line has no end');
}
