import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { QUEUE_NAMES } from '@aigolos/contracts';
import type { AnyJobRecord, FileRecord, MessageRecord, WebhookDeliveryRecord } from '@aigolos/db';
import type { DatabaseShell } from '@aigolos/testing';
import type { Installation } from './installation.ts';

/** What is there in the end, read past all of the product's own code. Dates are milliseconds since 1970. */
export interface Evidence {
  jobs: Map<string, AnyJobRecord>;
  messages: MessageRecord[];
  deliveries: WebhookDeliveryRecord[];
  /** What was uploaded, and what batches have made. */
  files: FileRecord[];
  /** Keys of all files, such as `trn_…/input`. */
  blobs: Set<string>;
  blobDir: string;
  /** Ids that queues still hold, each as `<queue>/<list>/<id>`. */
  queued: string[];
}

export async function gatherEvidence({ blobDir, redis }: Installation, shell: DatabaseShell): Promise<Evidence> {
  const documents = withDates(JSON.parse(await shell.dump())) as Record<string, unknown[]>;
  const jobs = (documents.jobs ?? []) as AnyJobRecord[];
  return {
    jobs: new Map(jobs.map((job) => [job._id, job])),
    messages: (documents.messages ?? []) as MessageRecord[],
    deliveries: (documents.webhook_deliveries ?? []) as WebhookDeliveryRecord[],
    files: (documents.files ?? []) as FileRecord[],
    blobs: new Set(await filesIn(join(blobDir, 'blobs'))),
    blobDir: join(blobDir, 'blobs'),
    queued: await queuedIds(redis.port),
  };
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

const run = promisify(execFile);
const LISTS = ['wait', 'active', 'paused', 'delayed', 'prioritized'];
const READ_IDS = `local ids = {}
for _, key in ipairs(KEYS) do
  local isList = redis.call('TYPE', key).ok == 'list'
  for _, id in ipairs(redis.call(isList and 'LRANGE' or 'ZRANGE', key, 0, -1)) do
    ids[#ids + 1] = string.gsub(string.sub(key, #ARGV[1] + 1), ':', '/') .. '/' .. id
  end
end
return ids`;

async function queuedIds(port: number): Promise<string[]> {
  const prefix = 'aigolos:';
  const keys = QUEUE_NAMES.flatMap((queue) => LISTS.map((list) => `${prefix}${queue}:${list}`));
  const command = ['EVAL', READ_IDS, String(keys.length), ...keys, prefix];
  const { stdout } = await run('redis-cli', ['-p', String(port), ...command]);
  return stdout.split('\n').filter((id) => id !== '');
}

/** Extended JSON as plain values. */
function withDates(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDates);
  if (typeof value !== 'object' || value === null) return value;
  if ('$date' in value) return new Date(value.$date as string);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withDates(inner)]));
}
