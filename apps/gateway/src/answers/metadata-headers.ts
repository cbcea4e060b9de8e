import { MetadataSchema } from '@aigolos/contracts';
import type { FastifyRequest } from 'fastify';
import { invalidFields } from '../errors/invalid-fields.ts';

const PREFIX = 'x-metadata-';

/** The pairs of `X-Metadata-<key>: <value>`; header names have no case, so keys are lower case. @throws ValidationError */
export function metadataOf(headers: FastifyRequest['headers']): Record<string, string> | undefined {
  const pairs = Object.entries(headers).filter(([name]) => name.startsWith(PREFIX));
  if (pairs.length === 0) return undefined;
  return checkedMetadata(
    Object.fromEntries(pairs.map(([name, value]) => [name.slice(PREFIX.length), decoded(String(value))])),
    (key) => (key === undefined ? 'X-Metadata' : `X-Metadata-${key}`),
  );
}

/** @throws ValidationError that names what is wrong as `nameOf` calls it; without a key, all of it. */
export function checkedMetadata(
  metadata: Record<string, string>,
  nameOf: (key: string | undefined) => string,
): Record<string, string> {
  const parsed = MetadataSchema.safeParse(metadata);
  if (parsed.success) return parsed.data;
  throw invalidFields(
    parsed.error.issues.map(({ path: [key], ...issue }) => ({
      path: [nameOf(key === undefined ? undefined : String(key))],
      message: issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message,
    })),
  );
}

/** Node reads headers as Latin-1; most clients send UTF-8. */
function decoded(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}
