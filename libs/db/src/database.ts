import { UnavailableError } from '@aigolos/contracts';
import { messageOf } from '@aigolos/runtime';
import { type Connection, createConnection, type mongo } from 'mongoose';
import { createLeases, type Leases } from './lease.ts';
import { defineAccessModels } from './models/access.model.ts';
import { defineConversationModels } from './models/conversation.model.ts';
import { defineErasureModels } from './models/erasure.model.ts';
import { defineFileModel } from './models/file.model.ts';
import { defineJobModel } from './models/job.model.ts';
import { defineOperationsModels } from './models/operations.model.ts';
import { defineUploadModel } from './models/upload.model.ts';
import { defineUsageModels } from './models/usage.model.ts';
import { defineWebhookModels } from './models/webhook.model.ts';
import { type AccessRepository, createAccessRepository } from './repositories/access.repository.ts';
import { type ConsistencyRepository, createConsistencyRepository } from './repositories/consistency.repository.ts';
import {
  type ConversationsRepository,
  createConversationsRepository,
} from './repositories/conversations.repository.ts';
import { createErasuresRepository, type ErasuresRepository } from './repositories/erasures.repository.ts';
import { createFilesRepository, type FilesRepository } from './repositories/files.repository.ts';
import { createInspectionRepository, type InspectionRepository } from './repositories/inspection.repository.ts';
import { createJobsRepository, type JobsRepository } from './repositories/jobs.repository.ts';
import { createModelsRepository, type ModelsRepository } from './repositories/models.repository.ts';
import { createQuotasRepository, type QuotasRepository } from './repositories/quotas.repository.ts';
import { createTaskRunsRepository, type TaskRunsRepository } from './repositories/task-runs.repository.ts';
import { createTransferRepository, type TransferRepository } from './repositories/transfer.repository.ts';
import { createUploadsRepository, type UploadsRepository } from './repositories/uploads.repository.ts';
import { createUsageRepository, type UsageRepository } from './repositories/usage.repository.ts';
import { createWebhooksRepository, type WebhooksRepository } from './repositories/webhooks.repository.ts';
import { type WatchOptions, watchChanges } from './watcher.ts';

export interface Database {
  jobs: JobsRepository;
  conversations: ConversationsRepository;
  access: AccessRepository;
  files: FilesRepository;
  uploads: UploadsRepository;
  erasures: ErasuresRepository;
  consistency: ConsistencyRepository;
  inspection: InspectionRepository;
  webhooks: WebhooksRepository;
  models: ModelsRepository;
  usage: UsageRepository;
  quotas: QuotasRepository;
  leases: Leases;
  taskRuns: TaskRunsRepository;
  transfer: TransferRepository;
  watch(options: WatchOptions): Promise<void>;
  /** Creates what collections and indexes are missing, and mends what earlier versions left. To be awaited before any write. */
  prepare(): Promise<void>;
  ping(): Promise<boolean>;
  close(): Promise<void>;
}

const SERVER_SELECTION_TIMEOUT_MS = 5_000;
/**
 * A server that is asked this often, and does not answer in that time, counts as gone: calls that wait for it fail then. The
 * driver's own defaults let them wait for more than half a minute.
 */
const HEARTBEAT_EVERY_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects to the database that the URL names. Writes are acknowledged by a majority and in the journal.
 * @throws UnavailableError where it does not answer.
 */
export async function openDatabase(url: string): Promise<Database> {
  const connection = await connect(url);
  const Job = defineJobModel(connection);
  const { Conversation, Message } = defineConversationModels(connection);
  const { Account, ApiKey } = defineAccessModels(connection);
  const File = defineFileModel(connection);
  const Upload = defineUploadModel(connection);
  const { ErasureItem, SigningKey } = defineErasureModels(connection);
  const { WebhookEndpoint, WebhookDelivery } = defineWebhookModels(connection);
  const { AnnouncedModel, Lease, Watcher, TaskRun } = defineOperationsModels(connection);
  const { Usage, Quota } = defineUsageModels(connection);
  const usage = createUsageRepository(Usage);
  const native = (): mongo.Db => {
    if (!connection.db) throw new Error('the database connection is closed');
    return connection.db;
  };
  const access = createAccessRepository(Account, ApiKey);

  return {
    jobs: createJobsRepository(Job),
    conversations: createConversationsRepository(Conversation, Message),
    access,
    files: createFilesRepository(File),
    uploads: createUploadsRepository(Upload),
    erasures: createErasuresRepository(ErasureItem, SigningKey),
    consistency: createConsistencyRepository({
      Job,
      Conversation,
      Message,
      Account,
      ApiKey,
      File,
      Upload,
      WebhookEndpoint,
      WebhookDelivery,
    }),
    inspection: createInspectionRepository(Job, WebhookDelivery),
    webhooks: createWebhooksRepository(WebhookEndpoint, WebhookDelivery),
    models: createModelsRepository(AnnouncedModel),
    usage,
    quotas: createQuotasRepository(Quota, usage),
    leases: createLeases(Lease),
    taskRuns: createTaskRunsRepository(TaskRun),
    transfer: createTransferRepository({ Account, Job, Conversation, Message, WebhookEndpoint, File, ErasureItem }),
    watch: (options) => watchChanges(native(), Watcher, options),
    async prepare() {
      const present = new Set(
        (await native().listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name),
      );
      // One after another: SecantusDB must not see a collection come into being beside another client's first insert.
      for (const model of [
        Job,
        Conversation,
        Message,
        Account,
        ApiKey,
        File,
        Upload,
        ErasureItem,
        SigningKey,
        WebhookEndpoint,
        WebhookDelivery,
        AnnouncedModel,
        Lease,
        Watcher,
        TaskRun,
        Usage,
        Quota,
      ]) {
        if (!present.has(model.collection.name)) await model.createCollection();
        await model.createIndexes();
      }
      await access.settleRoles();
    },
    async ping() {
      await native().command({ ping: 1 });
      return true;
    },
    close: () => connection.close(),
  };
}

async function connect(url: string): Promise<Connection> {
  const options = {
    autoCreate: false,
    autoIndex: false,
    bufferCommands: false,
    serverSelectionTimeoutMS: SERVER_SELECTION_TIMEOUT_MS,
    heartbeatFrequencyMS: HEARTBEAT_EVERY_MS,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    writeConcern: { w: 'majority', journal: true },
  } as const;
  return createConnection(url, options)
    .asPromise()
    .catch((cause: unknown) => {
      // The address alone: the URL can hold a password, and the driver's own error its whole view of the servers.
      throw new UnavailableError(`The MongoDB at ${new URL(url).host} does not answer: ${messageOf(cause)}`);
    });
}
