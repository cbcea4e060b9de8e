import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { openDatabase } from '@aigolos/db';
import { testConfig } from '@aigolos/testing';
import { MODELS } from './harness.ts';

export const MB = 1024 ** 2;

/**
 * How much the memory of a gateway process grows while it takes an upload, and how much of that has arrived, as its job says.
 * The system keeps the highest memory use of a process; here it is read where it lies on Linux.
 */
export async function uploadMemory(
  { redisUrl, mongoUrl }: { redisUrl: string; mongoUrl: string },
  megabytes: number,
): Promise<{ growthMB: number; arrivedBytes: number | undefined }> {
  const dir = await mkdtemp(join(tmpdir(), 'aigolos-memory-'));
  const db = await openDatabase(mongoUrl);
  await db.prepare();
  await db.models.announce(MODELS);
  const { _id: account } = await db.access.ensureAccount('test');
  const { key } = await db.access.createKey({ account, role: 'user', label: 'test' });
  const env = {
    PATH: testConfig.PATH,
    REDIS_URL: redisUrl,
    QUEUE_PREFIX: 'memory',
    MONGO_URL: mongoUrl,
    BLOB_DIR: dir,
  };
  const gateway = spawn(process.execPath, [join(import.meta.dirname, '..', 'src', 'main.ts')], {
    env: { ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await listeningAt(gateway.stdout);
    await upload(url, key, MB);
    const status = `/proc/${gateway.pid}/status`;
    const before = kilobytesOf('VmRSS', await readFile(status, 'utf8'));
    await writeFile(`/proc/${gateway.pid}/clear_refs`, '5');
    const { id } = await upload(url, key, megabytes * MB);
    const most = kilobytesOf('VmHWM', await readFile(status, 'utf8'));
    const task = (await db.jobs.find(id))?.task;
    return { growthMB: (most - before) / 1024, arrivedBytes: task && 'audio' in task ? task.audio.bytes : undefined };
  } finally {
    gateway.kill();
    await once(gateway, 'exit');
    await db.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function listeningAt(stdout: Readable): Promise<string> {
  for await (const line of createInterface(stdout)) {
    const { msg, url } = JSON.parse(line) as { msg: string; url?: string };
    if (msg === 'ready' && url) {
      stdout.resume();
      return url;
    }
  }
  throw new Error('it ended before it listened');
}

function kilobytesOf(name: string, status: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
}

/** Sends so many bytes of a silent WAV file, made as they are taken. */
async function upload(url: string, key: string, bytes: number): Promise<{ id: string }> {
  const part = (name: string) => `--x\r\nContent-Disposition: form-data; name="${name}"`;
  const form = function* () {
    yield Buffer.from(`${part('model')}\r\n\r\nwhisper-1\r\n${part('file')}; filename="a.wav"\r\n\r\n`);
    yield wavHeader(bytes - 44);
    const chunk = Buffer.alloc(64 * 1024);
    for (let left = bytes - 44; left > 0; left -= chunk.length) yield chunk.subarray(0, left);
    yield Buffer.from('\r\n--x--\r\n');
  };
  const sent = request(`${url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      prefer: 'respond-async',
      'content-type': 'multipart/form-data; boundary=x',
    },
  });
  Readable.from(form()).pipe(sent);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  if (response.statusCode !== 202) throw new Error(`the upload was answered ${response.statusCode}`);
  return (await json(response)) as { id: string };
}

/** Of 16-bit stereo PCM at 48 kHz, so that half a gigabyte is not longer than what is taken. */
function wavHeader(dataBytes: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(2, 22);
  header.writeUInt32LE(48_000, 24);
  header.writeUInt32LE(192_000, 28);
  header.writeUInt16LE(4, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(dataBytes, 40);
  return header;
}
