import { createHash } from 'node:crypto';
import { type JobKind, ValidationError } from '@aigolos/contracts';

/** A request as it came, before anything in it was looked up or resolved. */
export interface RequestAsked {
  kind: JobKind;
  body: object;
  /** SHA-256 of the audio that came with it. */
  audio?: string;
  /** What it asks for beside its body. */
  terms: object;
}

const PARTS = ['kind', 'body', 'audio', 'headers'] as const;

/**
 * Equal for equal requests, whatever the order of their fields. Says of two which parts differ, and nothing of what is in
 * them.
 */
export function fingerprintOf({ kind, body, audio = '', terms }: RequestAsked): string {
  return [kind, digest(body), audio.slice(0, DIGEST_CHARACTERS), digest(terms)].join(':');
}

/** Equal for the same work on the same content: a digest of all that a result depends on. */
export function contentKeyOf(work: object): string {
  return createHash('sha256').update(canonical(work)).digest('base64url');
}

/** @throws ValidationError that says what differs. */
export function assertSameRequest(key: string, earlier: string | undefined, now: string): void {
  if (earlier === now) return;
  const [before, after] = [earlier?.split(':') ?? [], now.split(':')];
  const differing = PARTS.filter((_, index) => before[index] !== after[index]);
  const different =
    before[0] === after[0]
      ? `its ${differing.join(' and ')} differ${differing.length === 1 ? 's' : ''}`
      : `it was for ${before[0]}`;
  throw new ValidationError(
    `Idempotency-Key ${JSON.stringify(key)} stands for an earlier request that was another one: ${different}. Send a new key with a new request.`,
    { code: 'IDEMPOTENCY_KEY_REUSED', param: 'Idempotency-Key' },
  );
}

const DIGEST_CHARACTERS = 32;

function digest(value: object): string {
  return contentKeyOf(value).slice(0, DIGEST_CHARACTERS);
}

/** JSON whose objects have their fields in alphabetical order. */
function canonical(value: object): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
