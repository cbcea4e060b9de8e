import type { BlobStore } from '@aigolos/blob-store';
import { LIMITS } from '@aigolos/contracts';
import type { Database, OwnedRecords } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { Media } from '@aigolos/media';
import type { Producer, RateLimiter, ReadCache } from '@aigolos/queue';
import type { Logger, Registry } from '@aigolos/runtime';
import helmet from '@fastify/helmet';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { createAnswers } from './answers/answers.ts';
import { createSubmissionOptions } from './answers/submission-options.ts';
import { createModelDirectory } from './catalogue/model-directory.ts';
import { backlogLimits, type Config, retentionOffer } from './config.ts';
import type { AccountLimitsDirectory } from './limits/account-limits.ts';
import { createBacklogs } from './limits/backlogs.ts';
import { accessControl } from './plugins/access.ts';
import { admission } from './plugins/admission.ts';
import { bodies } from './plugins/bodies.ts';
import { closing } from './plugins/closing.ts';
import { connectionLimits, HTTP_OPTIONS, refuseConnection } from './plugins/connections.ts';
import { contentTypes } from './plugins/content-types.ts';
import { crossOrigin } from './plugins/cross-origin.ts';
import { errors, sendError } from './plugins/errors.ts';
import { observation } from './plugins/observe.ts';
import { openRequests } from './plugins/open-requests.ts';
import { openApi } from './plugins/openapi.ts';
import { requestIdOf, requestIds } from './plugins/request-id.ts';
import { SECURITY_HEADERS } from './plugins/security-headers.ts';
import { serializerCompiler } from './plugins/serializer.ts';
import { accountRoutes } from './routes/account/account.routes.ts';
import { accountsRoutes } from './routes/accounts/accounts.routes.ts';
import { apiKeyRoutes } from './routes/api-keys/api-keys.routes.ts';
import { authRoutes, SIGN_OUT_PATH } from './routes/auth/auth.routes.ts';
import { batchRoutes } from './routes/batches/batches.routes.ts';
import { chatRoutes } from './routes/chat/chat.routes.ts';
import { storedChatRoutes } from './routes/chat/stored-chats.routes.ts';
import { conversationRoutes } from './routes/conversations/conversations.routes.ts';
import { erasureRoutes } from './routes/erasures/erasures.routes.ts';
import type { Erasures } from './routes/erasures/erasures.service.ts';
import { exportRoutes } from './routes/exports/exports.routes.ts';
import { fileRoutes } from './routes/files/files.routes.ts';
import { createFiles, type FilesDeps } from './routes/files/files.service.ts';
import { jobRoutes } from './routes/jobs/jobs.routes.ts';
import { limitRoutes } from './routes/limits/limits.routes.ts';
import { modelRoutes } from './routes/models/models.routes.ts';
import { apiReferenceRoutes } from './routes/operations/api-reference.routes.ts';
import { operationsRoutes } from './routes/operations/operations.routes.ts';
import { queueBoardRoutes } from './routes/operations/queue-board.routes.ts';
import { responseRoutes } from './routes/responses/responses.routes.ts';
import { speechRoutes } from './routes/speech/speech.routes.ts';
import { transcriptionRoutes } from './routes/transcriptions/transcriptions.routes.ts';
import { uploadRoutes } from './routes/uploads/uploads.routes.ts';
import { organizationUsageRoutes } from './routes/usage/organization-usage.routes.ts';
import { usageRoutes } from './routes/usage/usage.routes.ts';
import { voiceTurnRoutes } from './routes/voice-turns/voice-turns.routes.ts';
import { webhookDeliveryRoutes } from './routes/webhooks/webhook-deliveries.routes.ts';
import type { WebhookDeliveries } from './routes/webhooks/webhook-deliveries.service.ts';
import { webhookEndpointRoutes } from './routes/webhooks/webhook-endpoints.routes.ts';
import type { WebhookEndpoints } from './routes/webhooks/webhook-endpoints.service.ts';
import { createPageSessions } from './sign-in/page-sessions.ts';
import { signInSettings } from './sign-in/sign-in-config.ts';

export interface GatewayDeps {
  /** Of what accounts have, what takes the account: routes are given nothing else. */
  db: Pick<OwnedRecords, 'jobs' | 'uploads' | 'conversations'> &
    Pick<Database, 'access' | 'erasures' | 'models' | 'quotas' | 'usage' | 'ping'> & { files: FilesDeps['files'] };
  jobs: Jobs;
  erasures: Erasures;
  endpoints: WebhookEndpoints;
  deliveries: WebhookDeliveries;
  blobs: BlobStore;
  media: Pick<Media, 'decode' | 'encodeStream' | 'probe'>;
  producer: Pick<Producer, 'queues' | 'ping' | 'backlog'>;
  limits: AccountLimitsDirectory;
  limiter: RateLimiter;
  cache: Pick<ReadCache, 'read' | 'invalidate'>;
  metrics: Registry;
  log: Logger;
  /** Aborts when the gateway stops: answers that are held open end then. */
  stopping: AbortSignal;
}

/** The HTTP server, not listening yet: what every request goes through, then the routes. */
export function buildApp(config: Config, deps: GatewayDeps): FastifyInstance {
  const { db, jobs, erasures, endpoints, deliveries, blobs, media, producer, cache, metrics, log, stopping } = deps;
  const { limits, limiter } = deps;
  const loggerInstance: FastifyBaseLogger = log;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIdOf,
    // No hook has seen such a request, so nothing watches what is still to come of it.
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply.header('connection', 'close')),
    bodyLimit: LIMITS.jsonBodyBytes,
    // Uploads may take hours, and answers are held open as long as their jobs run.
    requestTimeout: 0,
    connectionTimeout: 0,
    http: HTTP_OPTIONS,
    clientErrorHandler: refuseConnection,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  const models = createModelDirectory(db.models);
  const answers = createAnswers({ jobs, blobs, media, stopping });
  const options = createSubmissionOptions(endpoints);
  const upload = { blobs, maxBytes: config.AUDIO_MAX_BYTES };
  const files = createFiles({ files: db.files, blobs });
  const signIn = signInSettings(config);
  const sessions = signIn && createPageSessions(signIn);
  const backlogs = createBacklogs(producer, backlogLimits(config));
  const checks = { database: () => db.ping(), queue: () => producer.ping() };

  app.register(requestIds);
  // Before the errors, for which its route of all preflights is none.
  app.register(crossOrigin, { origins: config.CORS_ORIGINS });
  app.register(errors);
  app.register(closing, { stopping });
  app.register(observation, { metrics });
  app.register(helmet, SECURITY_HEADERS);
  app.register(connectionLimits, { slowBodyMs: config.UPLOAD_IDLE_MS, slowReaderMs: config.READER_IDLE_MS });
  app.register(accessControl, { access: db.access, sessions });
  app.register(admission, { limits, limiter, backlogs, jobs: db.jobs });
  app.register(openRequests, { access: db.access });
  app.register(contentTypes);
  app.register(bodies, { idleMs: config.UPLOAD_IDLE_MS });
  app.register(openApi);

  app.register(transcriptionRoutes, {
    answers,
    options,
    jobs,
    models,
    blobs,
    media,
    upload,
    maxSeconds: config.AUDIO_MAX_SECONDS,
    reuseResults: config.REUSE_RESULTS,
  });
  app.register(speechRoutes, { answers, options, jobs, models });
  app.register(chatRoutes, { answers, options, jobs, models, conversations: db.conversations });
  app.register(storedChatRoutes, { jobs, erasures, stopping });
  app.register(responseRoutes, {
    answers,
    options,
    jobs,
    models,
    erasures,
    conversations: db.conversations,
    stopping,
  });
  app.register(fileRoutes, { files, blobs, maxBytes: config.FILE_MAX_BYTES });
  app.register(uploadRoutes, { uploads: db.uploads, files, blobs, maxBytes: config.FILE_MAX_BYTES });
  app.register(batchRoutes, { jobs, db, files, options });
  app.register(voiceTurnRoutes, {
    answers,
    options,
    jobs,
    models,
    conversations: db.conversations,
    endpoints,
    blobs,
    media,
    upload,
    maxSeconds: config.AUDIO_MAX_SECONDS,
  });
  app.register(modelRoutes, { models });
  app.register(limitRoutes, {
    audio: { seconds: config.AUDIO_MAX_SECONDS, bytes: config.AUDIO_MAX_BYTES },
    retentionSeconds: retentionOffer(config).maxSeconds,
    account: { db, limits, limiter },
    backlogs,
  });
  app.register(usageRoutes, { usage: db.usage });
  app.register(organizationUsageRoutes, { usage: db.usage });
  app.register(jobRoutes, { answers, jobs, erasures, stopping });
  app.register(conversationRoutes, {
    conversations: db.conversations,
    access: db.access,
    retention: retentionOffer(config),
    cache,
    erasures,
    stopping,
  });
  app.register(exportRoutes, { jobs, endpoints, answers, options });
  app.register(erasureRoutes, { erasures, db, endpoints, options, stopping });
  app.register(accountRoutes, { access: db.access, retention: retentionOffer(config) });
  app.register(apiKeyRoutes, { access: db.access });
  app.register(accountsRoutes, { access: db.access });
  app.register(webhookEndpointRoutes, { endpoints });
  app.register(webhookDeliveryRoutes, { deliveries });
  app.register(operationsRoutes, { checks, metrics, metricsAccess: config.METRICS_ACCESS });
  app.register(apiReferenceRoutes);
  if (signIn && sessions) app.register(authRoutes, { settings: signIn, sessions });
  app.register(queueBoardRoutes, { queues: producer.queues, signOutPath: signIn && SIGN_OUT_PATH });
  return app;
}
