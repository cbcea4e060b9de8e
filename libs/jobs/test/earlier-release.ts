import { readFile } from 'node:fs/promises';
import type { QueueName } from '@aigolos/contracts';

/** What the release of version 0.1.0 wrote while it ran, byte for byte but for the dates. */
export interface EarlierRelease {
  account: string;
  /** Ids of its jobs, by what they show. */
  names: Record<
    | 'chatQueued'
    | 'speechQueued'
    | 'transcriptionQueued'
    | 'exportQueued'
    | 'erasureQueued'
    | 'transcriptionInProgress'
    | 'turnInProgress'
    | 'messagesPending'
    | 'cancelled'
    | 'failed',
    string
  >;
  jobs: Record<string, unknown>[];
  conversations: Record<string, unknown>[];
  /** By the names of the jobs: the queue that one stood on, and the hash that stood for it. */
  queue: Record<string, { queue: QueueName; hash: { name: string; data: string; opts: string } }>;
}

const FILE = new URL('fixtures/earlier-release.json', import.meta.url);

/** Its records as if they had been written a minute ago. */
export async function earlierRelease(): Promise<EarlierRelease> {
  const text = await readFile(FILE, 'utf8');
  const writtenAt = Date.parse((JSON.parse(text) as { writtenAt: { $date: string } }).writtenAt.$date);
  const shiftMs = Date.now() - 60_000 - writtenAt;
  return JSON.parse(text, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && '$date' in value
      ? new Date(Date.parse(String(value.$date)) + shiftMs)
      : value,
  ) as EarlierRelease;
}
