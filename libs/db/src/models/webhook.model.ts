import type { JobEventType, WebhookEventType } from '@aigolos/contracts';
import { type Connection, type Model, Schema } from 'mongoose';

export const ENDPOINT_STATUSES = ['active', 'paused', 'disabled'] as const;
/** `paused`: by its owner or after repeated failure, rows wait. `disabled`: the receiver said that it is gone (410), no rows are made. */
export type EndpointStatus = (typeof ENDPOINT_STATUSES)[number];

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'cancelled'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What a receiver's messages are signed with. After a rotation the previous one signs too, until its time. */
export interface WebhookSecrets {
  /** `whsec_…` */
  current: string;
  previous?: string;
  previousUntil?: Date;
}

/** Where an account wants to be called back. */
export interface WebhookEndpointRecord {
  _id: string;
  account: string;
  url: string;
  events: JobEventType[];
  description: string;
  status: EndpointStatus;
  /** Why it is paused or disabled. */
  statusReason?: string;
  secrets: WebhookSecrets;
  /** Failed attempts since the last one that succeeded. */
  failuresInRow: number;
  /** When the first of them was. */
  failingSince?: Date;
  createdAt: Date;
  updatedAt: Date;
}

/** One try to deliver. */
export interface DeliveryAttempt {
  at: Date;
  /** Of the HTTP answer; absent where none came. */
  status?: number;
  ms: number;
  /** Why it failed, in words that hold neither secret nor body. */
  error?: string;
}

/** One event on its way to one receiver: the truth about its delivery, which a queue entry only reminds of. */
export interface WebhookDeliveryRecord {
  /** Derived from the event and the receiver, so that making it again finds what is there. */
  _id: string;
  account: string;
  event: string;
  type: WebhookEventType;
  /** The job that it tells of; absent of a test. */
  job?: string;
  /** The endpoint that it goes to; absent where the job named a URL of its own. */
  endpoint?: string;
  url: string;
  /** Its place among the deliveries of one job to one receiver; earlier ones are settled first. */
  order: number;
  /** The body as it is signed and sent. */
  body: string;
  status: DeliveryStatus;
  attempts: DeliveryAttempt[];
  /** When its owner last had it sent again: the schedule of retries begins anew there. */
  replayedAt?: Date;
  nextAttemptAt: Date;
  /** Grows with each claim; a write that carries an older one matches nothing. */
  fence: number;
  leaseUntil?: Date;
  createdAt: Date;
  settledAt?: Date;
  /** When the row is pruned. */
  expiresAt: Date;
}

const endpointSchema = new Schema<WebhookEndpointRecord>(
  {
    _id: { type: String, required: true },
    account: { type: String, required: true },
    url: { type: String, required: true },
    events: { type: [String], required: true },
    description: { type: String, default: '' },
    status: { type: String, required: true, enum: ENDPOINT_STATUSES },
    statusReason: String,
    secrets: { type: Schema.Types.Mixed, required: true },
    failuresInRow: { type: Number, required: true },
    failingSince: Date,
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  },
  { collection: 'webhook_endpoints', versionKey: false },
);
endpointSchema.index({ account: 1, createdAt: -1, _id: -1 });

const deliverySchema = new Schema<WebhookDeliveryRecord>(
  {
    _id: { type: String, required: true },
    account: { type: String, required: true },
    event: { type: String, required: true },
    type: { type: String, required: true },
    job: String,
    endpoint: String,
    url: { type: String, required: true },
    order: { type: Number, required: true },
    body: { type: String, required: true },
    status: { type: String, required: true, enum: DELIVERY_STATUSES },
    attempts: { type: Schema.Types.Mixed, required: true },
    replayedAt: Date,
    nextAttemptAt: { type: Date, required: true },
    fence: { type: Number, required: true },
    leaseUntil: Date,
    createdAt: { type: Date, required: true },
    settledAt: Date,
    expiresAt: { type: Date, required: true },
  },
  { collection: 'webhook_deliveries', versionKey: false, minimize: false },
);
deliverySchema.index({ account: 1, createdAt: -1, _id: -1 });
deliverySchema.index({ endpoint: 1, createdAt: -1, _id: -1 });
deliverySchema.index({ job: 1, order: 1 });
deliverySchema.index({ status: 1, nextAttemptAt: 1 });
deliverySchema.index({ expiresAt: 1 });

export function defineWebhookModels(connection: Connection): {
  WebhookEndpoint: Model<WebhookEndpointRecord>;
  WebhookDelivery: Model<WebhookDeliveryRecord>;
} {
  return {
    WebhookEndpoint: connection.model<WebhookEndpointRecord>('WebhookEndpoint', endpointSchema.clone()),
    WebhookDelivery: connection.model<WebhookDeliveryRecord>('WebhookDelivery', deliverySchema.clone()),
  };
}
