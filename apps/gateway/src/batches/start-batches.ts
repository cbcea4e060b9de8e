import type { BlobStore } from '@aigolos/blob-store';
import type { Database } from '@aigolos/db';
import { type Jobs, type QueueRunner, startQueueRunner } from '@aigolos/jobs';
import type { Media } from '@aigolos/media';
import type { LiveStreams, Producer, ReadCache } from '@aigolos/queue';
import type { Logger, Registry } from '@aigolos/runtime';
import { createModelDirectory } from '../catalogue/model-directory.ts';
import type { Config } from '../config.ts';
import { createChat } from '../routes/chat/chat.service.ts';
import type { Erasures } from '../routes/erasures/erasures.service.ts';
import { createFiles } from '../routes/files/files.service.ts';
import { createResponses } from '../routes/responses/responses.service.ts';
import { createSpeech } from '../routes/speech/speech.service.ts';
import { createTranscriptions } from '../routes/transcriptions/transcriptions.service.ts';
import { createBatchProcessor } from './batch.processor.ts';
import { createLineCalls } from './line-calls.ts';

export interface BatchRunnerDeps {
  db: Pick<Database, 'jobs' | 'conversations' | 'files' | 'models' | 'quotas'>;
  jobs: Jobs;
  erasures: Pick<Erasures, 'deleteJob'>;
  blobs: BlobStore;
  media: Pick<Media, 'probe'>;
  producer: Producer;
  live: LiveStreams;
  cache: ReadCache;
  metrics: Registry;
  log: Logger;
}

/** A batch only waits for the jobs of its lines, so that many can. */
const BATCHES_AT_ONCE = 8;

/** Runs batches here, where a call's body becomes a job: any gateway goes on with what another one began. */
export function startBatches(config: Config, deps: BatchRunnerDeps): QueueRunner {
  const { db, jobs, blobs, media, log } = deps;
  const models = createModelDirectory(db.models);
  const files = createFiles({ files: db.files, blobs });
  const common = { jobs, models };
  const { AUDIO_MAX_SECONDS: maxSeconds, AUDIO_MAX_BYTES: maxBytes, REUSE_RESULTS: reuseResults } = config;
  const calls = createLineCalls({
    chat: createChat({ ...common, conversations: db.conversations }),
    responses: createResponses({ ...common, conversations: db.conversations, erasures: deps.erasures }),
    speech: createSpeech(common),
    transcriptions: createTranscriptions({ ...common, blobs, media, maxSeconds, reuseResults }),
    files,
    blobs,
    maxBytes,
  });
  const batch = createBatchProcessor({ jobs, db, files, blobs, calls, linesAtOnce: config.BATCH_LINES_AT_ONCE });
  return startQueueRunner({
    queue: 'batch',
    processors: { batch },
    deps: { ...deps, log },
    redis: config,
    metrics: deps.metrics,
    concurrency: BATCHES_AT_ONCE,
  });
}
