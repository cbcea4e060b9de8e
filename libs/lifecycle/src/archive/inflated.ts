import { Transform } from 'node:stream';
import type { Manifest } from './manifest.ts';

const BLOCK_BYTES = 512;
/** What stands around an entry: its header, a longer name's with it, and what fills its last block. */
const FRAME_BYTES = 6 * BLOCK_BYTES;
/** What is a little more is told by its entries better: which one is too long, or is not listed. */
const SLACK_BYTES = 64 * 1024 ** 2;
/** Nobody's sound and texts are so much smaller when they are compressed; below the floor it makes no difference. */
const MOST_TIMES = 1_000;
const FLOOR_BYTES = 1024 ** 3;

/**
 * Lets the entries of an archive through while they are inflated, and fails as soon as they are more than its manifest lists, or
 * than its own size makes credible.
 */
export function countInflated({ files }: Pick<Manifest, 'files'>, compressedBytes: number): Transform {
  const listed = files.reduce((sum, { bytes }) => sum + bytes + FRAME_BYTES, SLACK_BYTES);
  const credible = Math.max(MOST_TIMES * compressedBytes, FLOOR_BYTES);
  let inflated = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      inflated += chunk.length;
      if (inflated > listed) return done(new Error('it inflates to more than its manifest lists'));
      if (inflated > credible) {
        const remedy = 'if it is to be trusted, unpack it and import the folder';
        return done(new Error(`it inflates to more than ${MOST_TIMES} times its size; ${remedy}`));
      }
      done(null, chunk);
    },
  });
}
