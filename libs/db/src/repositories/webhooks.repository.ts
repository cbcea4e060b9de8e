import type { Model } from 'mongoose';
import type { WebhookDeliveryRecord, WebhookEndpointRecord } from '../models/webhook.model.ts';
import {
  createWebhookDeliveriesRepository,
  type WebhookDeliveriesRepository,
} from './webhook-deliveries.repository.ts';
import { createWebhookEndpointsRepository, type WebhookEndpointsRepository } from './webhook-endpoints.repository.ts';

/** Who wants to be called back, and what is on its way to them. */
export type WebhooksRepository = WebhookEndpointsRepository & WebhookDeliveriesRepository;

export function createWebhooksRepository(
  Endpoint: Model<WebhookEndpointRecord>,
  Delivery: Model<WebhookDeliveryRecord>,
): WebhooksRepository {
  return { ...createWebhookEndpointsRepository(Endpoint), ...createWebhookDeliveriesRepository(Endpoint, Delivery) };
}
