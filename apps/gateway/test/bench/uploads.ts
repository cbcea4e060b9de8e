import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { withCompared } from './compared.ts';

const SERVERS = ['upload-ours', 'upload-bare'] as const;
const CHUNK_BYTES = 64 * 1024;

/** Megabytes a second of each server, round by round. @throws where what lies on the disk is not what was sent. */
export function uploads(rounds: number, megabytes: number): Promise<Record<(typeof SERVERS)[number], number[]>> {
  const chunk = randomBytes(CHUNK_BYTES);
  const count = (megabytes * 1024 ** 2) / CHUNK_BYTES;
  const hash = createHash('sha256');
  for (let index = 0; index < count; index += 1) hash.update(chunk);
  const sent = hash.digest('hex');
  return withCompared(SERVERS, async (urls) => {
    const measured = { 'upload-ours': [] as number[], 'upload-bare': [] as number[] };
    for (let round = -1; round < rounds; round += 1) {
      for (const name of round % 2 === 0 ? SERVERS : SERVERS.toReversed()) {
        const begun = performance.now();
        const { sha256, path } = await send(urls[name], chunk, count);
        const seconds = (performance.now() - begun) / 1_000;
        const kept = await onDisk(urls[name], path);
        if (sha256 !== sent || kept !== sent) throw new Error(`${name}: what arrived is not what was sent`);
        if (round >= 0) measured[name].push(megabytes / seconds);
      }
    }
    return measured;
  });
}

async function send(url: string, chunk: Buffer, count: number): Promise<{ sha256: string; path: string }> {
  const form = function* () {
    yield Buffer.from('--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n');
    for (let index = 0; index < count; index += 1) yield chunk;
    yield Buffer.from('\r\n--x--\r\n');
  };
  const sending = request(`${url}/upload`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
  });
  Readable.from(form()).pipe(sending);
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  return (await json(response)) as { sha256: string; path: string };
}

async function onDisk(url: string, path: string): Promise<string> {
  const response = await fetch(`${url}/check`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ path }),
  });
  return ((await response.json()) as { sha256: string }).sha256;
}
