import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@aigolos/runtime';
import type { HubFetch } from './hub-fetch.ts';

const MAX_FRUITLESS_TRIES = 4;
const STALL_MS = 30_000;

export interface DownloadOptions {
  fetch: HubFetch;
  /** More than this cannot be the file; nothing of it is kept then. */
  maxBytes: number;
  signal: AbortSignal;
  /** Bytes of the file that are on the disk by now. */
  onProgress: (bytesDone: number) => void;
}

/**
 * Fetches `url` into `target`, which appears when it is complete. A cut download goes on where it stopped, in this call
 * and in later ones. A server that cannot be reached at all is not asked twice.
 * @throws Error with a short reason.
 */
export async function downloadFile(url: string, target: string, options: DownloadOptions): Promise<void> {
  const part = `${target}.part`;
  let received = false;
  for (let fruitless = 0; ; ) {
    const before = await sizeOf(part);
    try {
      await downloadRest(url, part, options);
      break;
    } catch (error) {
      options.signal.throwIfAborted();
      const gained = (await sizeOf(part)) > before;
      received ||= gained;
      fruitless = gained ? 0 : fruitless + 1;
      const hopeless = error instanceof WrongAnswerError || (error instanceof UnreachableError && !received);
      if (hopeless || fruitless >= MAX_FRUITLESS_TRIES) throw error;
    }
    await sleep(backoffMs(fruitless, { baseMs: 500, maxMs: 5_000 }), undefined, { signal: options.signal });
  }
  await rename(part, target);
}

/** No answer at all. */
class UnreachableError extends Error {}

/** An answer that will not be another one the next time. */
class WrongAnswerError extends Error {}

async function downloadRest(url: string, part: string, options: DownloadOptions): Promise<void> {
  const { fetch, maxBytes, signal, onProgress } = options;
  // Opened first: what comes while it is opened can be lost when the connection breaks.
  await using file = await open(part, 'a');
  const offset = (await file.stat()).size;
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error('nothing came for 30 seconds')), STALL_MS);
  try {
    const response = await fetch(url, {
      headers: { 'accept-encoding': 'identity', ...(offset > 0 ? { range: `bytes=${offset}-` } : {}) },
      signal: AbortSignal.any([signal, stalled.signal]),
    }).catch((error: unknown) => {
      throw new UnreachableError(`${new URL(url).host} cannot be reached (${causeOf(error)})`, { cause: error });
    });
    if (response.status === 416 && (await isComplete(response, file, offset))) return;
    assertOk(response, url);
    if (response.status !== 206) await file.truncate();
    let bytes = response.status === 206 ? offset : 0;
    // Written piece by piece, because a stream that breaks takes along what it has not written yet.
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      bytes += chunk.length;
      if (bytes > maxBytes) {
        await file.truncate();
        throw new WrongAnswerError(`${url} is larger than it should be`);
      }
      await file.writeFile(chunk);
      onProgress(bytes);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** 416 to a range that begins at the very end means that everything is here; else what is here is of another file. */
async function isComplete(response: Response, file: FileHandle, bytes: number): Promise<boolean> {
  await response.body?.cancel();
  if (response.headers.get('content-range') === `bytes */${bytes}`) return true;
  await file.truncate();
  return false;
}

function assertOk({ ok, status }: Response, url: string): void {
  const message = `${url} answered ${status}`;
  if (status >= 500 || status === 429 || status === 416) throw new Error(message);
  if (!ok) throw new WrongAnswerError(message);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function causeOf(error: unknown): string {
  const { code, cause, message } = error as NodeJS.ErrnoException;
  return code ?? (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
}
