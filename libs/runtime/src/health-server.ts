import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { checkReadiness, type ReadinessCheck } from './health.ts';

/** `/healthz`, `/readyz` and `/metrics` for processes that serve no other HTTP. Unauthenticated: bind it to an inner address. */
export async function startHealthServer(options: {
  host: string;
  port: number;
  checks: Record<string, ReadinessCheck>;
  metrics: Registry;
  /** What `/readyz` tells beside the checks. */
  details?: () => Record<string, unknown>;
}): Promise<{ port: number; close: () => Promise<void> }> {
  const { checks, metrics, details } = options;
  const routes: Record<string, () => Promise<{ status: number; type: string; body: string }>> = {
    '/healthz': async () => ({ status: 200, type: 'application/json', body: '{"status":"ok"}' }),
    '/readyz': async () => {
      const readiness = await checkReadiness(checks);
      const body = JSON.stringify({ ...readiness, ...details?.() });
      return { status: readiness.ready ? 200 : 503, type: 'application/json', body };
    },
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() }),
  };
  const server = createServer((request, response) => {
    const route = routes[request.url ?? ''];
    if (!route) return void response.writeHead(404).end();
    route().then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
