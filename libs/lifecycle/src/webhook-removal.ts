import type { RemovalDeps } from './removal.ts';

const BATCH = 500;

/** Removes what was to be told, or was told, of a job or to an account. */
export async function removeDeliveries(
  { db: { webhooks }, ledger }: RemovalDeps,
  of: { job: string } | { account: string },
): Promise<void> {
  if (!ledger) return void (await webhooks.deleteDeliveries(of));
  for (;;) {
    const ids = await webhooks.deliveryIds(of, BATCH);
    if (ids.length === 0) return;
    await ledger.note('webhook_delivery', ids);
    await webhooks.deleteDeliveriesById(ids);
  }
}

/** Removes an account's endpoints, so that nothing new is to be told, and then its deliveries. */
export async function removeWebhooks(deps: RemovalDeps, account: string): Promise<void> {
  const { webhooks } = deps.db;
  if (deps.ledger) await deps.ledger.note('webhook_endpoint', await webhooks.endpointIds(account));
  await webhooks.deleteEndpointsOf(account);
  await removeDeliveries(deps, { account });
}
