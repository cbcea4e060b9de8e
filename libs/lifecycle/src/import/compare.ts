import { isDeepStrictEqual } from 'node:util';
import type { Document, DocumentKind } from '../archive/documents.ts';

/** When something goes is decided where it lives, and so are its owner's notes: these may have changed since the export. */
const LIFETIMES = [
  'metadata',
  'retention',
  'expiresAt',
  'inputExpiresAt',
  'outputExpiresAt',
  'filesExpireAt',
  'inputDeletedAt',
  'outputDeletedAt',
];

/**
 * Is a record that lives here the one that a document tells of? Jobs, messages and files never change once they are exported, but
 * for their lifetimes and notes, and that a message can be deleted; a conversation goes on, and settings are those of the place.
 */
export function isTheSame(kind: DocumentKind, document: Document, living: Document): boolean {
  switch (kind) {
    case 'account':
      return living['username'] === document['username'];
    case 'webhook-endpoints':
    case 'conversations':
      return living.account === document.account && living['createdAt'] === document['createdAt'];
    case 'messages':
      return living['deletedAt'] !== undefined || isDeepStrictEqual(living, document);
    case 'chats':
    case 'responses':
    case 'syntheses':
    case 'transcriptions':
    case 'voice-turns':
    case 'batches':
    case 'files':
      return isDeepStrictEqual(withoutLifetimes(living), withoutLifetimes(document));
  }
}

/** Is a conversation further there than here? */
export function isAhead(document: Document, living: Document): boolean {
  return ['nextTurn', 'messageCount', 'updatedAt'].some((field) => {
    const [there, here] = [document[field] as number | string, living[field] as number | string];
    return there > here;
  });
}

function withoutLifetimes(document: Document): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !LIFETIMES.includes(name)));
}
