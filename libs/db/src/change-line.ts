/**
 * Works on things in the order in which they come: those of one key one after another, others side by side, and knows up to
 * where all is done. A `Place` is whatever marks where to go on from.
 */
export interface ChangeLine<Place> {
  /** Adds the next thing. Work that rejects is not done, so the place stays before it. */
  add(thing: { key: string; place: Place; work: () => Promise<void> }): void;
  /** There was nothing to do up to here. */
  pass(place: Place): void;
  /** Up to here all is done. */
  readonly place: Place | undefined;
  /** How many things were done. */
  readonly done: number;
  /** How many are not done, or stand behind one that is not. */
  readonly length: number;
  /** Resolves when fewer than this many stand in line, or at the signal. */
  shorterThan(count: number, signal: AbortSignal): Promise<void>;
  /** Resolves when no work runs any more, however it ended. */
  settled(): Promise<void>;
}

export function createChangeLine<Place>(): ChangeLine<Place> {
  const line: { place: Place; isDone: boolean }[] = [];
  const lastOfKey = new Map<string, Promise<void>>();
  let place: Place | undefined;
  let done = 0;
  let moved = Promise.withResolvers<void>();

  function moveOn(): void {
    while (line[0]?.isDone) place = line.shift()?.place;
    moved.resolve();
    moved = Promise.withResolvers();
  }

  return {
    add({ key, place: placeAfter, work }) {
      const entry = { place: placeAfter, isDone: false };
      line.push(entry);
      const ended = (lastOfKey.get(key) ?? Promise.resolve())
        .then(work)
        .then(
          () => {
            entry.isDone = true;
            done += 1;
          },
          () => {},
        )
        .then(() => {
          if (lastOfKey.get(key) === ended) lastOfKey.delete(key);
          moveOn();
        });
      lastOfKey.set(key, ended);
    },
    pass(placeAfter) {
      const last = line.at(-1);
      if (last?.isDone) last.place = placeAfter;
      else line.push({ place: placeAfter, isDone: true });
      moveOn();
    },
    get place() {
      return place;
    },
    get done() {
      return done;
    },
    get length() {
      return line.length;
    },
    async shorterThan(count, signal) {
      if (line.length < count) return;
      const aborted = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => aborted.resolve(), { once: true });
      while (line.length >= count && !signal.aborted) await Promise.race([moved.promise, aborted.promise]);
    },
    async settled() {
      while (lastOfKey.size > 0) await Promise.all(lastOfKey.values());
    },
  };
}
