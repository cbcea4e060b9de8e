import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openBlobStore } from '@aigolos/blob-store';
import { ChatCompletionRequestSchema, ChatCompletionSchema } from '@aigolos/contracts';
import type { KeyHolder } from '@aigolos/db';
import { createMetrics } from '@aigolos/runtime';
import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import Fastify, { type FastifyInstance } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { AUDIO_FILE, receiveForm } from '../../src/forms/receive-form.ts';
import { accessControl } from '../../src/plugins/access.ts';
import { bodies } from '../../src/plugins/bodies.ts';
import { errors } from '../../src/plugins/errors.ts';
import { observation } from '../../src/plugins/observe.ts';
import { openRequests } from '../../src/plugins/open-requests.ts';
import { requestIds } from '../../src/plugins/request-id.ts';
import { SECURITY_HEADERS } from '../../src/plugins/security-headers.ts';
import { serializerCompiler } from '../../src/plugins/serializer.ts';
import { CHAT_ANSWER, CHAT_SCHEMAS } from './chat-schemas.ts';
import { isReady } from './program.ts';

/** One server of a comparison, by its name; its address is what it says when it is ready. */

const config = { access: 'user', scope: 'any' } as const;

/** What every request to the gateway goes through, with a key that is known without a database. */
function edge(app: FastifyInstance): void {
  app.register(requestIds);
  app.register(errors);
  app.register(observation, { metrics: createMetrics('bench') });
  app.register(helmet, SECURITY_HEADERS);
  const holder = { key: { _id: 'key_1', role: 'user' }, account: { _id: 'acc_1', role: 'user' } } as KeyHolder;
  app.register(accessControl, { access: { findHolder: async () => holder, noteKeyUse: async () => {} } });
  app.register(openRequests, { access: { holdersOf: async () => new Map([['key_1', holder]]) } });
  app.register(bodies, { idleMs: 60_000 });
}

const chatRoute = (app: FastifyInstance, schema: object) =>
  app.register(async (inner) => {
    inner.post('/v1/chat/completions', { config, schema }, async () => CHAT_ANSWER);
  });

async function uploads(app: FastifyInstance, take: 'ours' | 'bare', dir: string): Promise<void> {
  edge(app);
  await app.register(multipart, { throwFileSizeLimit: false, limits: { fileSize: Number.POSITIVE_INFINITY } });
  const blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: dir, S3_REGION: 'us-east-1' });
  let count = 0;
  const receive = async (request: Parameters<typeof receiveForm>[0]) => {
    count += 1;
    const { file } = await receiveForm(request, { blobs, maxBytes: 2 * 1024 ** 3, takes: AUDIO_FILE });
    await blobs.commit(file, `trn_${count}/input`);
    return { path: join(dir, 'blobs', `trn_${count}`, 'input'), sha256: file.sha256 };
  };
  const pipe = async (request: Parameters<typeof receiveForm>[0]) => {
    count += 1;
    const path = join(dir, `bare-${count}`);
    const part = await request.file();
    if (!part) throw new Error('no file came');
    const hash = createHash('sha256');
    const hashing = new Transform({
      transform(chunk: Buffer, _, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(part.file, hashing, createWriteStream(path));
    return { path, sha256: hash.digest('hex') };
  };
  app.post('/upload', { config }, async (request) => {
    const { path, sha256 } = await (take === 'ours' ? receive : pipe)(request);
    return { sha256, path };
  });
}

async function build(name: string, dir: string): Promise<FastifyInstance> {
  const app = Fastify({ bodyLimit: 512 * 1024 });
  switch (name) {
    case 'zod':
      app.setValidatorCompiler(validatorCompiler);
      app.setSerializerCompiler(serializerCompiler);
      edge(app);
      chatRoute(app, { body: ChatCompletionRequestSchema, response: { 200: ChatCompletionSchema } });
      break;
    case 'ajv':
      edge(app);
      chatRoute(app, CHAT_SCHEMAS);
      break;
    case 'bare':
      chatRoute(app, CHAT_SCHEMAS);
      break;
    case 'upload-ours':
      await uploads(app, 'ours', dir);
      break;
    case 'upload-bare':
      await uploads(app, 'bare', dir);
      break;
    default:
      throw new Error(`there is no server named ${name}`);
  }
  return app;
}

const dir = await mkdtemp(join(tmpdir(), 'aigolos-bench-'));
const app = await build(process.argv[2] ?? '', dir);
const url = await app.listen({ host: '127.0.0.1', port: 0 });
isReady(url, () => app.close().then(() => rm(dir, { recursive: true, force: true })));
