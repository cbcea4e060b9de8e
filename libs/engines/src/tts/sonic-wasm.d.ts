/** What is used of Sonic compiled to WebAssembly, which brings no types. Pointers are byte offsets in its heap. */
declare module '@echogarden/sonic-wasm' {
  export interface SonicModule {
    /** Replaced when the heap grows: read it anew after every allocation. */
    readonly HEAPF32: Float32Array;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    _sonicCreateStream(sampleRateHz: number, channels: number): number;
    _sonicDestroyStream(stream: number): void;
    _sonicSetSpeed(stream: number, speed: number): void;
    /** 1 on success. */
    _sonicWriteFloatToStream(stream: number, samples: number, count: number): number;
    _sonicFlushStream(stream: number): number;
    _sonicSamplesAvailable(stream: number): number;
    _sonicReadFloatFromStream(stream: number, samples: number, maxCount: number): number;
  }
  export default function Sonic(): Promise<SonicModule>;
}
