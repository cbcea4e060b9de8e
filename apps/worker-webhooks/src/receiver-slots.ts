export interface ReceiverSlots {
  /** Takes a place for a delivery to this receiver. Where none is free: how long to wait before asking again. */
  take(receiver: string, delivery: string): { free: () => void } | { busyForMs: number };
}

const AGAIN_MS = 250;
const AGAIN_AT_MOST_MS = 10_000;

/**
 * Keeps one slow receiver from taking every place of this process: each has at most `limit` at once. The longer the line at
 * a receiver, the more rarely those in it ask.
 */
export function createReceiverSlots(limit: number, random = Math.random): ReceiverSlots {
  const taken = new Map<string, number>();
  const lines = new Map<string, Set<string>>();

  return {
    take(receiver, delivery) {
      const count = taken.get(receiver) ?? 0;
      const line = lines.get(receiver) ?? new Set();
      if (count >= limit) {
        lines.set(receiver, line.add(delivery));
        const waitMs = Math.min(AGAIN_AT_MOST_MS, AGAIN_MS * Math.ceil(line.size / limit));
        return { busyForMs: Math.round(waitMs * (0.5 + random() / 2)) };
      }
      line.delete(delivery);
      if (line.size === 0) lines.delete(receiver);
      taken.set(receiver, count + 1);
      return {
        free() {
          const left = (taken.get(receiver) ?? 1) - 1;
          if (left > 0) return void taken.set(receiver, left);
          taken.delete(receiver);
          // Whoever still stands in line may have been taken by another process, and not ask again.
          lines.delete(receiver);
        },
      };
    },
  };
}
