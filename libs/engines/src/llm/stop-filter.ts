/** Cuts a stream of text before the first stop string, also where that is split over several pieces. */
export interface StopFilter {
  /** A stop string was seen: nothing more will come out. */
  readonly stopped: boolean;
  /** Takes the next piece; returns what is certain to be part of the answer. */
  push(text: string): string;
  /** The text has ended: returns what was held back because it could have become a stop string. */
  end(): string;
}

export function createStopFilter(stops: readonly string[]): StopFilter {
  const wanted = stops.filter((stop) => stop !== '');
  let held = '';
  let stopped = false;
  return {
    get stopped() {
      return stopped;
    },
    push(text) {
      if (stopped) return '';
      held += text;
      const found = wanted.map((stop) => held.indexOf(stop)).filter((index) => index >= 0);
      stopped = found.length > 0;
      const safe = stopped
        ? Math.min(...found)
        : held.length - Math.max(0, ...wanted.map((stop) => overlap(held, stop)));
      const out = held.slice(0, safe);
      held = stopped ? '' : held.slice(safe);
      return out;
    },
    end() {
      const rest = held;
      held = '';
      return rest;
    },
  };
}

/** How many characters at the end of `text` are the beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
