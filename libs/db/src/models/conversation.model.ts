import type { ChatRole, ToolCall } from '@aigolos/contracts';
import { type Connection, type Model, Schema } from 'mongoose';

export interface ConversationRecord {
  _id: string;
  account: string;
  /** The turn that the next chat job of this conversation gets. */
  nextTurn: number;
  /** Places that are taken, those of deleted messages too: it only grows. How many messages stand is counted. */
  messageCount: number;
  /** What a client noted on it; absent where nothing. */
  metadata?: Record<string, string>;
  createdAt: Date;
  updatedAt: Date;
  /** How long it is kept after its last turn; null keeps it; absent before its first turn. */
  retentionSeconds?: number | null;
  expiresAt?: Date;
  /** When its last turn was taken: the job of that turn follows in a moment. */
  turnTakenAt?: Date;
  /** All of it is being removed, by one who keeps account of it: others leave it alone. */
  erasing?: boolean;
}

export interface MessageRecord {
  _id: string;
  conversation: string;
  account: string;
  /** Its place in the conversation, from 0, without gaps. */
  seq: number;
  role: ChatRole;
  content: string;
  /** Of an assistant: the one function that it called here. */
  toolCalls?: ToolCall[] | undefined;
  /** Of a tool: the call that this is the outcome of. */
  toolCallId?: string | undefined;
  /** The job whose turn this message is of; absent where it was written into the conversation by itself. */
  job?: string;
  createdAt: Date;
  /** Its owner deleted it: the place stays taken, what was said is gone. */
  deletedAt?: Date;
}

const conversationSchema = new Schema<ConversationRecord>(
  {
    _id: { type: String, required: true },
    account: { type: String, required: true },
    nextTurn: { type: Number, required: true },
    messageCount: { type: Number, required: true },
    metadata: Schema.Types.Mixed,
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    retentionSeconds: Number,
    expiresAt: Date,
    turnTakenAt: Date,
    erasing: Boolean,
  },
  { collection: 'conversations', versionKey: false },
);
conversationSchema.index({ account: 1, updatedAt: -1, _id: -1 });
conversationSchema.index({ account: 1, _id: 1 });
conversationSchema.index({ updatedAt: 1, _id: 1 });
conversationSchema.index({ expiresAt: 1 }, { partialFilterExpression: { expiresAt: { $exists: true } } });

const messageSchema = new Schema<MessageRecord>(
  {
    _id: { type: String, required: true },
    conversation: { type: String, required: true },
    account: { type: String, required: true },
    seq: { type: Number, required: true },
    role: { type: String, required: true },
    // Not required, which an empty text would not meet.
    content: { type: String, default: '' },
    toolCalls: { type: [Schema.Types.Mixed], default: undefined },
    toolCallId: String,
    job: String,
    createdAt: { type: Date, required: true },
    deletedAt: Date,
  },
  { collection: 'messages', versionKey: false },
);
messageSchema.index({ conversation: 1, seq: -1 }, { unique: true });

export function defineConversationModels(connection: Connection): {
  Conversation: Model<ConversationRecord>;
  Message: Model<MessageRecord>;
} {
  return {
    Conversation: connection.model<ConversationRecord>('Conversation', conversationSchema.clone()),
    Message: connection.model<MessageRecord>('Message', messageSchema.clone()),
  };
}
