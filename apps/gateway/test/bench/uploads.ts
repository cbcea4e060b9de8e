import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { compare } from './compared.ts';

const SERVERS = ['upload-ours', 'upload-bare'] as const;
const CHUNK_BYTES = 64 * 1024;

/** Milliseconds of processor time that each server takes for a megabyte, round by round. @throws where the file that is kept is not what was sent. */
export function uploads(rounds: number, megabytes: number): Promise<Record<(typeof SERVERS)[number], number[]>> {
  const chunk = randomBytes(CHUNK_BYTES);
  const count = (megabytes * 1024 ** 2) / CHUNK_BYTES;
  const hash = createHash('sha256');
  for (let index = 0; index < count; index += 1) hash.update(chunk);
  const sent = hash.digest('hex');
  return compare(SERVERS, { rounds, warmUp: 1 }, async (url, name) => {
    const { sha256, path } = await send(url, chunk, count);
    const kept = await sha256OnDisk(path);
    if (sha256 !== sent || kept !== sent) throw new Error(`${name}: what arrived is not what was sent`);
    await rm(path);
    return { units: megabytes };
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
    headers: { 'content-type': 'multipart/form-data; boundary=x', authorization: 'Bearer sk-bench' },
  });
  Readable.from(form()).pipe(sending);
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}: ${await text(response)}`);
  return (await json(response)) as { sha256: string; path: string };
}

async function sha256OnDisk(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
