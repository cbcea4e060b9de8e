/** What is used of sherpa-onnx-node, which brings no types of its own (see its types.js). */
declare module 'sherpa-onnx-node' {
  interface OfflineTtsConfig {
    model: {
      vits: { model: string; tokens: string; dataDir: string };
      numThreads: number;
      provider: 'cpu';
    };
    /** Sentences that are spoken at once. */
    maxNumSentences: number;
  }
  interface GeneratedAudio {
    samples: Float32Array;
    sampleRate: number;
  }
  interface TtsRequest {
    text: string;
    /** Speaker, from 0. */
    sid: number;
    speed: number;
    /** False copies the samples into V8's own memory, where the garbage collector sees them. */
    enableExternalBuffer: boolean;
    /** Returning 0 ends the call before the next sentence. */
    onProgress?: (info: { samples: Float32Array; progress: number }) => 0 | 1;
  }
  class OfflineTts {
    static createAsync(config: OfflineTtsConfig): Promise<OfflineTts>;
    readonly sampleRate: number;
    readonly numSpeakers: number;
    generateAsync(request: TtsRequest): Promise<GeneratedAudio>;
  }
  interface VadConfig {
    sileroVad: {
      model: string;
      /** A window is speech from this probability on. */
      threshold: number;
      /** Seconds. */
      minSilenceDuration: number;
      /** Seconds. */
      minSpeechDuration: number;
      /** Samples. */
      windowSize: number;
      /** Seconds after which it asks for a higher probability. */
      maxSpeechDuration: number;
    };
    sampleRate: number;
    numThreads: number;
    provider: 'cpu';
  }
  class Vad {
    constructor(config: VadConfig, bufferSizeInSeconds: number);
    acceptWaveform(samples: Float32Array): void;
    /** Is somebody speaking in what came last? */
    isDetected(): boolean;
    /** Is there no finished stretch of speech? */
    isEmpty(): boolean;
    pop(): void;
    reset(): void;
  }
  const sherpa: { OfflineTts: typeof OfflineTts; Vad: typeof Vad };
  export default sherpa;
  export type { OfflineTts, Vad };
}
