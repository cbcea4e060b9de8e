import { LIMITS } from '@aigolos/contracts';
import {
  blobConfig,
  databaseConfig,
  intVar,
  mediaConfig,
  processConfig,
  queueConfig,
  retentionConfig,
} from '@aigolos/runtime';
import { z } from 'zod';

export const ConfigSchema = z.object({
  ...processConfig,
  ...databaseConfig,
  ...queueConfig,
  ...blobConfig,
  ...mediaConfig,
  ...retentionConfig,
  HOST: z.string().default('127.0.0.1').describe('address that the HTTP API listens on'),
  PORT: intVar.min(0).max(65_535).default(8_787).describe('its port; 0 takes a free one'),
  AUDIO_MAX_BYTES: intVar.min(1).default(LIMITS.audioBytes).describe('largest audio file that is taken'),
  AUDIO_MAX_SECONDS: intVar.min(1).default(LIMITS.audioSeconds).describe('longest audio that is taken'),
  UPLOAD_IDLE_MS: intVar.min(1_000).default(60_000).describe('an upload that sends nothing for so long is given up'),
  STOP_GRACE_MS: intVar.min(0).default(10_000).describe('how long a stopping gateway lets requests finish'),
});
export type Config = z.infer<typeof ConfigSchema>;
