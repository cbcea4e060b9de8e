import { randomBytes, randomUUID } from 'node:crypto';
import { DEFAULT_EVENT_TYPES, newId } from '@aigolos/contracts';
import { type Database, openDatabase, type WebhookDeliveryRecord, type WebhookEndpointRecord } from '@aigolos/db';
import { createProducer, type Producer, type RedisConfig } from '@aigolos/queue';
import { type Logger } from '@aigolos/runtime';
import type { TestMongo, TestRedis } from '@aigolos/testing';
import { testLog as log } from '@aigolos/testing';

export interface TestInstallation {
  db: Database;
  mongoUrl: string;
  redis: Pick<RedisConfig, 'REDIS_URL' | 'QUEUE_PREFIX'>;
  producer: Producer;
  log: Logger;
  account: string;
  insertEndpoint(url: string, fields?: Partial<WebhookEndpointRecord>): Promise<string>;
  /** A pending delivery of an event of its own, unless the fields say otherwise. */
  insertDelivery(endpoint: string | undefined, fields?: Partial<WebhookDeliveryRecord>): Promise<string>;
  delivery(id: string): Promise<WebhookDeliveryRecord>;
  endpoint(id: string): Promise<WebhookEndpointRecord>;
  close(): Promise<void>;
}

export const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

export async function openTestInstallation(redis: TestRedis, mongo: TestMongo): Promise<TestInstallation> {
  const mongoUrl = mongo.newDatabaseUrl();
  const db = await openDatabase(mongoUrl);
  await db.prepare();
  const redisConfig = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}` };
  const producer = await createProducer(redisConfig, log);
  const { _id: account } = await db.access.ensureAccount('ada');
  const found = async <T>(finding: Promise<T | undefined>): Promise<T> => {
    const value = await finding;
    if (!value) throw new Error('there is no such row');
    return value;
  };
  return {
    db,
    mongoUrl,
    redis: redisConfig,
    producer,
    log,
    account,
    async insertEndpoint(url, fields = {}) {
      const now = new Date();
      const _id = newId('webhookEndpoint');
      await db.webhooks.insertEndpoint({
        _id,
        account,
        url,
        events: [...DEFAULT_EVENT_TYPES],
        description: '',
        status: 'active',
        secrets: { current: newSecret() },
        failuresInRow: 0,
        createdAt: now,
        updatedAt: now,
        ...fields,
      });
      return _id;
    },
    async insertDelivery(endpoint, fields = {}) {
      const now = new Date();
      const event = newId('webhookEvent');
      const row: WebhookDeliveryRecord = {
        _id: newId('webhookDelivery'),
        account,
        event,
        type: 'job.completed',
        job: newId('transcription'),
        ...(endpoint !== undefined && { endpoint }),
        url: 'http://unused.test/',
        order: 1,
        body: JSON.stringify({ id: event, object: 'event' }),
        status: 'pending',
        attempts: [],
        nextAttemptAt: now,
        fence: 0,
        createdAt: now,
        expiresAt: new Date(now.getTime() + 86_400_000),
        ...fields,
      };
      await db.webhooks.insertDeliveries([row]);
      return row._id;
    },
    delivery: (id) => found(db.webhooks.findDelivery(id)),
    endpoint: (id) => found(db.webhooks.findEndpoint(id)),
    async close() {
      await Promise.all([producer.close(), db.close()]);
    },
  };
}
