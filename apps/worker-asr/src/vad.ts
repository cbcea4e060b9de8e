import { join } from 'node:path';
import { createSileroVad, type VoiceActivityDetector } from '@aigolos/engines/vad';
import { type Logger, messageOf } from '@aigolos/runtime';
import type { Config } from './config.ts';

/** The detector where its model is installed. Without one, audio is cut where it is quiet. */
export async function openVad(
  { MODELS_DIR, ASR_VAD_MODEL }: Config,
  log: Logger,
): Promise<VoiceActivityDetector | undefined> {
  if (ASR_VAD_MODEL === 'off') return undefined;
  try {
    return await createSileroVad({ modelPath: join(MODELS_DIR, ASR_VAD_MODEL, 'model.onnx') });
  } catch (error) {
    log.warn(
      { model: ASR_VAD_MODEL, reason: messageOf(error) },
      'no voice activity detector: long audio is cut where it is quiet',
    );
    return undefined;
  }
}
