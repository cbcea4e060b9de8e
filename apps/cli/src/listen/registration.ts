import {
  JOB_EVENT_TYPES,
  WebhookEndpointCreatedSchema,
  WebhookEndpointListSchema,
  type WebhookEndpointRequest,
} from '@aigolos/contracts';
import { CliError } from '../cli-error.ts';
import type { RunningStack } from '../supervisor/stack.ts';

/** This receiver as an endpoint of the stack's account. */
export interface Registration {
  secret: string;
  remove(): Promise<void>;
}

const PATH = '/v1/webhook_endpoints';
/** By this an endpoint is known that a killed `aigolos listen` has left. */
const DESCRIPTION = 'aigolos listen';

/**
 * Registers a receiver for every event of jobs. What an earlier one at the same address has left is removed.
 * @throws CliError with what the stack said.
 */
export async function register(stack: RunningStack, url: string): Promise<Registration> {
  const { data } = WebhookEndpointListSchema.parse(await call(stack, 'GET', `${PATH}?limit=100`));
  for (const endpoint of data) {
    if (endpoint.url === url && endpoint.description === DESCRIPTION) await remove(endpoint.id);
  }
  const wanted: WebhookEndpointRequest = { url, events: [...JOB_EVENT_TYPES], description: DESCRIPTION };
  const { id, secret } = WebhookEndpointCreatedSchema.parse(await call(stack, 'POST', PATH, wanted));
  return { secret, remove: () => remove(id) };

  async function remove(id: string): Promise<void> {
    await call(stack, 'DELETE', `${PATH}/${id}`);
  }
}

async function call({ url, apiKey }: RunningStack, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  }).catch(() => undefined);
  if (!response) throw new CliError(`The stack at ${url} does not answer.`);
  const answer = (await response.json()) as { detail?: string };
  if (!response.ok) throw new CliError(`The stack did not take ${method} ${path}: ${answer.detail ?? response.status}`);
  return answer;
}
