/** What the thread is told, in this order for each stream. */
export type VadRequest =
  | { type: 'detect'; stream: number; call: number; samples: Float32Array }
  | { type: 'reset'; stream: number }
  | { type: 'end'; stream: number };

export type VadAnswer =
  | { type: 'ready' }
  | { type: 'detected'; call: number; speech: Uint8Array }
  | { type: 'failed'; call: number | undefined; message: string };
