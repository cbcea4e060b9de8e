/** What can be cleaned up, in the order in which it is. Chats and responses that are turns of a conversation go with it, translations with transcriptions. */
export const CLEANUP_KINDS = [
  'transcriptions',
  'syntheses',
  'chats',
  'responses',
  'voice-turns',
  'batches',
  'exports',
  'files',
  'conversations',
] as const;
export type CleanupKind = (typeof CLEANUP_KINDS)[number];
