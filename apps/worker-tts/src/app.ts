import { openBlobStore } from '@aigolos/blob-store';
import { describeModel } from '@aigolos/engines/catalogue';
import { createWorker, speakStep } from '@aigolos/jobs';
import { openMedia } from '@aigolos/media';
import type { App, Logger } from '@aigolos/runtime';
import type { Config } from './config.ts';
import { createEngines } from './engine.ts';
import { createSpeakProcessor } from './speak.processor.ts';

/** Text in, audio out. */
export function createApp(config: Config, log: Logger): App {
  return createWorker({
    service: 'worker-tts',
    queue: 'tts',
    config,
    log,
    async open() {
      const engines = await createEngines(config, log);
      const blobs = openBlobStore(config);
      // What a killed process leaves half made lies in the spool, which is swept, and not in a public folder.
      const media = openMedia(config, { log, tempDir: blobs.spoolDir });
      const speech = createSpeakProcessor({ engines, media, blobs });
      const processors = { speech, 'voice-turn': speakStep(speech) };
      const models = engines.map(({ model, voices }, index) =>
        describeModel(model, 'tts', { isDefault: index === 0, voices }),
      );
      const close = async () => {
        for (const engine of engines) await engine.close();
      };
      return { processors, models, close };
    },
  });
}
