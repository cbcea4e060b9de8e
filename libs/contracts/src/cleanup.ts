/** What can be cleaned up, in the order in which it is. Chats and responses that are turns of a conversation go with it. */
export const CLEANUP_KINDS = ['transcriptions', 'syntheses', 'chats', 'responses', 'exports', 'conversations'] as const;
export type CleanupKind = (typeof CLEANUP_KINDS)[number];
