import { createHash } from 'node:crypto';

export interface Measured {
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
}

/** Lets bytes through and tells, when they have all been read, how many there were and their hash. */
export function metered(
  source: AsyncIterable<Uint8Array>,
  onChunk: (bytes: number) => void = () => {},
): { stream: AsyncGenerator<Uint8Array>; measured: () => Measured } {
  const hash = createHash('sha256');
  let bytes = 0;
  let result: Measured | undefined;
  async function* stream() {
    for await (const chunk of source) {
      bytes += chunk.length;
      hash.update(chunk);
      onChunk(chunk.length);
      yield chunk;
    }
    result = { bytes, sha256: hash.digest('hex') };
  }
  return {
    stream: stream(),
    measured() {
      if (!result) throw new Error('the source has not been read to its end');
      return result;
    },
  };
}
