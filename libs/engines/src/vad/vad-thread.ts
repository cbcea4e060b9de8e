import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import sherpa, { type Vad } from 'sherpa-onnx-node';
import type { VadAnswer, VadRequest } from './vad-protocol.ts';
import { VAD_WINDOW_SAMPLES } from './voice-activity-detector.ts';

/** The detector itself, in a thread of its own: sherpa-onnx knows no asynchronous call for it. */

/** How much of one stretch of speech it can keep before it must grow; a chunk of speech and some more. */
const BUFFER_SECONDS = 40;
/** Longer than any stretch between two resets: after it sherpa-onnx is deaf to soft speech. */
const MAX_SPEECH_SECONDS = 3_600;

const port = parentPort as MessagePort;
const { modelPath } = workerData as { modelPath: string };
const streams = new Map<number, Vad>();
const idle: Vad[] = [];

/** Without smoothing: each window is judged for itself, and who asks knows how long a pause must be. */
function createVad(): Vad {
  const sileroVad = {
    model: modelPath,
    threshold: 0.5,
    minSilenceDuration: 0.001,
    minSpeechDuration: 0.001,
    windowSize: VAD_WINDOW_SAMPLES,
    maxSpeechDuration: MAX_SPEECH_SECONDS,
  };
  return new sherpa.Vad({ sileroVad, sampleRate: 16_000, numThreads: 1, provider: 'cpu' }, BUFFER_SECONDS);
}

function vadOf(stream: number): Vad {
  const vad = streams.get(stream) ?? idle.pop() ?? createVad();
  streams.set(stream, vad);
  return vad;
}

function detect(vad: Vad, samples: Float32Array): Uint8Array {
  return Uint8Array.from({ length: samples.length / VAD_WINDOW_SAMPLES }, (_, window) => {
    vad.acceptWaveform(samples.subarray(window * VAD_WINDOW_SAMPLES, (window + 1) * VAD_WINDOW_SAMPLES));
    while (!vad.isEmpty()) vad.pop();
    return vad.isDetected() ? 1 : 0;
  });
}

function serve(request: VadRequest): void {
  switch (request.type) {
    case 'detect':
      return answer({
        type: 'detected',
        call: request.call,
        speech: detect(vadOf(request.stream), request.samples),
      });
    case 'reset':
      return streams.get(request.stream)?.reset();
    case 'end': {
      const vad = streams.get(request.stream);
      if (!vad) return;
      streams.delete(request.stream);
      vad.reset();
      idle.push(vad);
    }
  }
}

function answer(message: VadAnswer): void {
  port.postMessage(message, []);
}

function failed(error: unknown, call?: number): void {
  answer({ type: 'failed', call, message: error instanceof Error ? error.message : String(error) });
}

try {
  idle.push(createVad());
  answer({ type: 'ready' });
} catch (error) {
  failed(error);
}
port.on('message', (request: VadRequest) => {
  try {
    serve(request);
  } catch (error) {
    failed(error, request.type === 'detect' ? request.call : undefined);
  }
});
