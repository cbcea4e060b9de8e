import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const MAX_BYTES = 20 * 1024 * 1024;

/** Appends lines to a file; when it has grown large it becomes `<file>.1` and a new one begins. */
export function openLogFile(path: string): (line: string) => void {
  mkdirSync(dirname(path), { recursive: true });
  let bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return (line) => {
    if (bytes > MAX_BYTES) {
      renameSync(path, `${path}.1`);
      bytes = 0;
    }
    // At once, so that the last words of a process are there whatever comes next.
    appendFileSync(path, `${line}\n`);
    bytes += Buffer.byteLength(line) + 1;
  };
}
