/** Cuts a stream of text before the first stop string, also where that is split over several pieces. */
export interface StopFilter {
  /** A stop string was seen: nothing more will come out. */
  readonly stopped: boolean;
  /** Which one. */
  readonly stoppedBy: string | undefined;
  /** Takes the next piece; returns what is certain to be part of the answer. */
  push(text: string): string;
  /** The text has ended: returns what was held back because it could have become a stop string. */
  end(): string;
}

export function createStopFilter(stops: readonly string[]): StopFilter {
  const wanted = stops.filter((stop) => stop !== '');
  let held = '';
  let stoppedBy: string | undefined;
  return {
    get stopped() {
      return stoppedBy !== undefined;
    },
    get stoppedBy() {
      return stoppedBy;
    },
    push(text) {
      if (stoppedBy !== undefined) return '';
      held += text;
      const [first] = wanted
        .map((stop) => ({ stop, at: held.indexOf(stop) }))
        .filter(({ at }) => at >= 0)
        .toSorted((a, b) => a.at - b.at);
      stoppedBy = first?.stop;
      const safe = first ? first.at : held.length - Math.max(0, ...wanted.map((stop) => overlap(held, stop)));
      const out = held.slice(0, safe);
      held = first ? '' : held.slice(safe);
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
