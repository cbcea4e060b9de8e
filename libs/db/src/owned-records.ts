import type { ConversationsRepository } from './repositories/conversations.repository.ts';
import type { FilesRepository } from './repositories/files.repository.ts';
import type { JobsRepository } from './repositories/jobs.repository.ts';
import type { UploadsRepository } from './repositories/uploads.repository.ts';
import type { WebhooksRepository } from './repositories/webhooks.repository.ts';

/**
 * What is read and written on behalf of a caller. Each of these is told the account, by itself or in the record or filter
 * that it gets, and what is another one's is for it not there. Everything else is for workers, sweeps and operators.
 */
export interface OwnedRecords {
  jobs: Pick<JobsRepository, 'findByIdempotencyKey' | 'findOwned' | 'list'>;
  conversations: Pick<
    ConversationsRepository,
    'appendItems' | 'begin' | 'clearItem' | 'countMessages' | 'findOwned' | 'item' | 'items' | 'setMetadata'
  >;
  files: Pick<FilesRepository, 'findKept' | 'findOwned' | 'insert' | 'list' | 'putMade'>;
  uploads: Pick<UploadsRepository, 'addPart' | 'end' | 'findOwned' | 'insert'>;
  webhooks: Pick<
    WebhooksRepository,
    | 'deleteEndpoint'
    | 'findOwnedDelivery'
    | 'findOwnedEndpoint'
    | 'insertEndpoint'
    | 'listDeliveries'
    | 'listEndpoints'
    | 'replaceEndpointSecrets'
    | 'updateEndpoint'
  >;
}
