import type { Logger } from '@aigolos/runtime';
import { openFailFastConnection, openPatientConnection, type RedisConfig } from './connection.ts';

/** Tells every worker that a job is to stop. A lost message only delays it: the next lease renewal sees the flag. */
export interface CancelSender {
  send(jobId: string): Promise<void>;
  close(): Promise<void>;
}

export interface CancelReceiver {
  close(): Promise<void>;
}

const channelOf = (config: RedisConfig) => `${config.QUEUE_PREFIX}:cancel`;

export function createCancelSender(config: RedisConfig, log: Logger): CancelSender {
  const redis = openFailFastConnection(config, log);
  return {
    async send(jobId) {
      await redis
        .publish(channelOf(config), jobId)
        .catch((error: unknown) => log.debug({ err: error }, 'cancel not told'));
    },
    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}

export function createCancelReceiver(
  config: RedisConfig,
  log: Logger,
  onCancel: (jobId: string) => void,
): CancelReceiver {
  const redis = openPatientConnection(config, log);
  redis.on('message', (_channel: string, jobId: string) => onCancel(jobId));
  redis.subscribe(channelOf(config)).catch((error: unknown) => log.debug({ err: error }, 'cannot hear of cancels'));
  return {
    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}
