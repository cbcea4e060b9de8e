import type { BlobStore } from '@aigolos/blob-store';
import type { Change, Database, MessageRecord } from '@aigolos/db';

export interface ReactionDeps {
  db: Pick<Database, 'conversations'>;
  blobs: Pick<BlobStore, 'deleteRecord'>;
}

/** What one kind of change sets in motion. Must be fine to run twice for the same change. */
export interface Reaction {
  name: string;
  collection: string;
  operation: Change['operation'];
  react: (change: Change) => Promise<void>;
}

/** What the data sets in motion, whoever changed it and by whatever means. */
export function createReactions({ db, blobs }: ReactionDeps): Reaction[] {
  return [
    {
      name: 'message_created',
      collection: 'messages',
      operation: 'insert',
      react: ({ document }) => db.conversations.noteMessage(document as unknown as MessageRecord),
    },
    {
      name: 'record_deleted',
      collection: 'jobs',
      operation: 'delete',
      // A delete tells the id alone; blob keys begin with it.
      react: ({ id }) => blobs.deleteRecord(id),
    },
  ];
}
