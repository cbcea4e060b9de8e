export interface ReceiverSlots {
  /** Takes a place for a delivery to this receiver. Where none is free: how long to wait before asking again. */
  take(receiver: string, delivery: string): { free: () => void } | { busyForMs: number };
  /** The same answer for a delivery that was told to wait before, where there is still no place for it. */
  busyForMs(delivery: string): number | undefined;
}

interface Receiver {
  taken: number;
  /** Deliveries that were told to wait. */
  line: Set<string>;
  /** How long a place is taken, about. */
  heldMs: number;
}

const WAIT_LEAST_MS = 50;
const WAIT_MOST_MS = 10_000;
const HELD_MS = 50;
/** How much the last time weighs against those before. */
const NEWEST = 0.2;

/**
 * Keeps one slow receiver from taking every place of this process: each has at most `limit` at once. Whoever finds none comes
 * back within the time that the line is likely to take.
 */
export function createReceiverSlots(limit: number, random = Math.random): ReceiverSlots {
  const receivers = new Map<string, Receiver>();
  const receiverOf = new Map<string, string>();

  function wait({ line, heldMs }: Receiver): number {
    const lineMs = Math.min(WAIT_MOST_MS, (line.size * heldMs) / limit);
    return Math.round(WAIT_LEAST_MS + random() * lineMs);
  }

  function release(name: string, receiver: Receiver, sinceMs: number): void {
    receiver.taken -= 1;
    receiver.heldMs += NEWEST * (performance.now() - sinceMs - receiver.heldMs);
    if (receiver.taken > 0) return;
    // Who still stands in line asks again, or was taken by another process.
    for (const delivery of receiver.line) receiverOf.delete(delivery);
    receivers.delete(name);
  }

  return {
    take(name, delivery) {
      const receiver = receivers.get(name) ?? { taken: 0, line: new Set(), heldMs: HELD_MS };
      if (receiver.taken >= limit) {
        receiver.line.add(delivery);
        receiverOf.set(delivery, name);
        return { busyForMs: wait(receiver) };
      }
      receivers.set(name, receiver);
      receiver.line.delete(delivery);
      receiverOf.delete(delivery);
      receiver.taken += 1;
      const since = performance.now();
      return { free: () => release(name, receiver, since) };
    },
    busyForMs(delivery) {
      const receiver = receivers.get(receiverOf.get(delivery) ?? '');
      return receiver && receiver.taken >= limit ? wait(receiver) : undefined;
    },
  };
}
