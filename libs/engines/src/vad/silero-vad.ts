import { access } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { asrFailed } from '../asr/asr-error.ts';
import type { VadAnswer, VadRequest } from './vad-protocol.ts';
import { VAD_WINDOW_SAMPLES, type VoiceActivityDetector } from './voice-activity-detector.ts';

export interface SileroVadOptions {
  /** Silero VAD 4 to 6 as ONNX. */
  modelPath: string;
}

type Pending = PromiseWithResolvers<Uint8Array>;

/**
 * Runs Silero VAD by sherpa-onnx in a thread, which takes some 4 ms for a second of sound. Resolves when it is loaded.
 * @throws AsrServiceError (`ASR_ENGINE_FAILED`) when the model is missing or broken.
 */
export async function createSileroVad({ modelPath }: SileroVadOptions): Promise<VoiceActivityDetector> {
  // sherpa-onnx would go on without a model.
  await access(modelPath).catch((error: unknown) => {
    throw vadFailed(error);
  });
  const thread = new Worker(new URL('./vad-thread.ts', import.meta.url), { workerData: { modelPath } });
  const calls = new Map<number, Pending>();
  const ready = Promise.withResolvers<void>();
  let stopped: Error | undefined;
  let lastCall = 0;
  let lastStream = 0;

  const stop = (error: Error) => {
    stopped ??= error;
    ready.reject(stopped);
    for (const { reject } of calls.values()) reject(stopped);
    calls.clear();
  };
  const settle = (call: number, how: (pending: Pending) => void) => {
    const pending = calls.get(call);
    calls.delete(call);
    if (pending) how(pending);
  };
  thread.on('message', (message: VadAnswer) => {
    if (message.type === 'ready') return ready.resolve();
    if (message.type === 'detected') return settle(message.call, ({ resolve }) => resolve(message.speech));
    const error = vadFailed(new Error(message.message));
    if (message.call === undefined) return stop(error);
    settle(message.call, ({ reject }) => reject(error));
  });
  thread.on('error', (error) => stop(vadFailed(error)));
  thread.on('exit', () => stop(asrFailed('The voice activity detector was stopped.')));
  const tell = (request: VadRequest, moved: ArrayBuffer[] = []) => thread.postMessage(request, moved);

  const close = async () => void (await thread.terminate());
  await ready.promise.catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    listen() {
      const stream = ++lastStream;
      return {
        windowSamples: VAD_WINDOW_SAMPLES,
        async detect(samples) {
          if (stopped) throw stopped;
          const call = ++lastCall;
          const pending: Pending = Promise.withResolvers();
          calls.set(call, pending);
          const copy = samples.slice();
          tell({ type: 'detect', stream, call, samples: copy }, [copy.buffer]);
          return pending.promise;
        },
        reset: () => tell({ type: 'reset', stream }),
        end: () => tell({ type: 'end', stream }),
      };
    },
    close,
  };
}

function vadFailed(cause: unknown): Error {
  return asrFailed('The voice activity detector failed.', cause);
}
