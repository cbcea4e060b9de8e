import { Counter, Gauge, Histogram, type Registry } from '@aigolos/runtime';

const ATTEMPT_OUTCOMES = ['delivered', 'retried', 'failed', 'cancelled'] as const;

export type DeliveryMetrics = ReturnType<typeof createDeliveryMetrics>;

export function createDeliveryMetrics(registry: Registry) {
  const registers = [registry];
  const outcomes = new Counter({
    name: 'aigolos_webhook_attempts_total',
    help: 'Attempts to deliver a webhook that ended here, by what became of the delivery',
    labelNames: ['outcome'] as const,
    registers,
  });
  for (const outcome of ATTEMPT_OUTCOMES) outcomes.inc({ outcome }, 0);
  return {
    outcomes,
    latency: new Histogram({
      name: 'aigolos_webhook_latency_seconds',
      help: 'From the event to its arrival at the receiver',
      buckets: [0.03, 0.1, 0.3, 1, 3, 10, 60, 600, 3_600, 36_000],
      registers,
    }),
    paused: new Counter({
      name: 'aigolos_webhook_endpoints_suspended_total',
      help: 'Endpoints that were paused after repeated failure, or disabled as their receiver is gone',
      labelNames: ['status'] as const,
      registers,
    }),
    pendingAge: new Gauge({
      name: 'aigolos_webhook_oldest_due_seconds',
      help: 'How long the oldest webhook that is due has been waiting, when it was last looked',
      registers,
    }),
  };
}
