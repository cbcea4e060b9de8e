import { createHash } from 'node:crypto';

/** How far a client has followed the events of a job; each event's id says it, so that any gateway can go on from any event. */
export interface EventPosition {
  /** The claim that was told of last, and whether it was begun, given back to a queue, or the job ended with it. */
  fence: number;
  stage: 'queued' | 'started' | 'ended';
  /** In whole percent. */
  progress: number;
  /** Of the text that was told: its length in UTF-16 units, and what to know it by. */
  units: number;
  digest: string;
}

const STAGES = { q: 'queued', s: 'started', e: 'ended' } as const;
const ID = /^(\d{1,10})([qse])\.(\d{1,3})\.(\d{1,10})\.([0-9a-f]{12})$/;

/** The id of an event after which a client stands here. */
export function toEventId({ fence, stage, progress, units, digest }: EventPosition): string {
  return `${fence}${stage.charAt(0)}.${progress}.${units}.${digest}`;
}

/** Where a client stands that names this id; undefined, which is before the first event, of anything that is none of ours. */
export function parseEventId(id: string | string[] | undefined): EventPosition | undefined {
  const [, fence, stage, progress, units, digest = ''] = ID.exec(String(id ?? '')) ?? [];
  if (fence === undefined) return undefined;
  return {
    fence: Number(fence),
    stage: STAGES[stage as keyof typeof STAGES],
    progress: Number(progress),
    units: Number(units),
    digest,
  };
}

/** What a text is known by. */
export function digestOf(text: string): string {
  const digest = createTextDigest();
  digest.add(text);
  return digest.value();
}

/** The same of a text that grows. */
export function createTextDigest(): { add(text: string): void; value(): string } {
  const hash = createHash('sha256');
  return {
    // UTF-16, since a piece of a text may end within a character.
    add: (text) => void hash.update(Buffer.from(text, 'utf16le')),
    value: () => hash.copy().digest('hex').slice(0, 12),
  };
}
