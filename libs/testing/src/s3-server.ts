import { buildApp } from 'fauxqs';

/** An S3-compatible server that keeps its objects in memory, on the port of loopback that its argument names. */
const [port] = process.argv.slice(2);
await buildApp({ logger: false }).listen({ host: '127.0.0.1', port: Number(port) });
