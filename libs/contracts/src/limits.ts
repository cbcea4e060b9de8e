/** Limits on input. Defaults; those that an operator may change stand in the gateway's configuration. */
export const LIMITS = {
  chatMessageCharacters: 5_000,
  chatMessages: 256,
  /** Pieces of one message's text. */
  textParts: 256,
  /** Of what a tool gave back, of what it was called with, and of one tool's description. */
  toolCharacters: 50_000,
  tools: 128,
  /** Of a text whose speech is waited for, and of one that is spoken as a job. */
  speechCharacters: 4_096,
  longSpeechCharacters: 500_000,
  speedMin: 0.25,
  speedMax: 4,
  promptCharacters: 2_000,
  stopSequences: 4,
  jsonBodyBytes: 512 * 1024,
  /** Lists and objects in one another. */
  jsonDepth: 100,
  /** The longest text, each of its characters as two escapes (`\ud83d\ude00`), and the other fields. */
  speechBodyBytes: 500_000 * 12 + 64 * 1024,
  audioSeconds: 2 * 60 * 60,
  audioBytes: 2 * 1024 ** 3,
  fileBytes: 2 * 1024 ** 3,
  uploadPartBytes: 64 * 1024 ** 2,
  uploadParts: 10_000,
  /** Of an upload that is not completed. */
  uploadSeconds: 60 * 60,
  batchLines: 50_000,
  batchBytes: 200 * 1024 ** 2,
  fileLeastSeconds: 60 * 60,
  fileMostSeconds: 30 * 24 * 60 * 60,
  waitSeconds: 300,
  retentionSeconds: 10 * 365 * 24 * 60 * 60,
  /** A record and a conversation must be there long enough to be read. */
  retentionLeastSeconds: 60,
} as const;

/** How many of a conversation's last messages stand before a new one, unless an operator says otherwise. */
export const CONVERSATION_CONTEXT_MESSAGES = 10;
