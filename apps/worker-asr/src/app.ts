import { openBlobStore } from '@aigolos/blob-store';
import { describeModel } from '@aigolos/engines/catalogue';
import { createWorker, transcribeStep } from '@aigolos/jobs';
import { openMedia } from '@aigolos/media';
import type { App, Logger } from '@aigolos/runtime';
import type { Config } from './config.ts';
import { createEngine } from './engine.ts';
import { modelVersion } from './model-version.ts';
import { createTranscribeProcessor } from './transcribe.processor.ts';
import { openVad } from './vad.ts';

/** Audio in, transcript out. */
export function createApp(config: Config, log: Logger): App {
  return createWorker({
    service: 'worker-asr',
    queue: 'asr',
    config,
    log,
    async open() {
      const engine = await createEngine(config, log);
      const vad = await openVad(config, log);
      const version = await modelVersion(config);
      const transcribe = createTranscribeProcessor({
        engine,
        media: openMedia(config, { log }),
        blobs: openBlobStore(config),
        vad,
        maxSeconds: config.AUDIO_MAX_SECONDS,
      });
      return {
        processors: { transcription: transcribe, translation: transcribe, 'voice-turn': transcribeStep(transcribe) },
        models: [
          { ...describeModel(engine.model, 'asr', { isDefault: true }), ...(version !== undefined && { version }) },
        ],
        close: async () => {
          await Promise.all([engine.close(), vad?.close()]);
        },
      };
    },
  });
}
