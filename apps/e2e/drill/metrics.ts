import type { Place } from './supervisor.ts';

/** Counters of every process that ran, by name and labels, summed over their lives as far as they were asked. */
export interface MetricsReader {
  scrape(): Promise<void>;
  /** The sum of a counter, by the value of one of its labels. */
  sumBy(name: string, label: string): Record<string, number>;
  forgetHighest(): void;
  /** The highest value of a gauge that was seen since then, by app. */
  highest(name: string): Record<string, number>;
}

const LINE = /^(?<name>\w+)\{(?<labels>[^}]*)\} (?<value>\S+)/;

export function createMetricsReader(places: readonly Place[]): MetricsReader {
  /** What each process said last. */
  const last = new Map<string, { app: string; lines: RegExpExecArray[] }>();
  const most = new Map<string, Map<string, number>>();

  async function scrapeOne({ id, app, process }: Place): Promise<void> {
    if (!process) return;
    const response = await fetch(`${process.url}/metrics`, { signal: AbortSignal.timeout(1_000) });
    const lines = (await response.text()).split('\n').flatMap((line) => {
      const match = LINE.exec(line);
      return match ? [match] : [];
    });
    last.set(`${id} ${process.pid}`, { app, lines });
    for (const { groups } of lines) {
      const ofName = most.get(groups?.name ?? '') ?? new Map<string, number>();
      ofName.set(app, Math.max(ofName.get(app) ?? 0, Number(groups?.value)));
      most.set(groups?.name ?? '', ofName);
    }
  }

  return {
    async scrape() {
      await Promise.all(places.map((place) => scrapeOne(place).catch(() => {})));
    },
    sumBy(name, label) {
      const sums: Record<string, number> = {};
      for (const { lines } of last.values()) {
        for (const { groups } of lines) {
          const value = new RegExp(`${label}="([^"]*)"`).exec(groups?.labels ?? '')?.[1];
          if (groups?.name === name && value !== undefined) sums[value] = (sums[value] ?? 0) + Number(groups.value);
        }
      }
      return sums;
    },
    forgetHighest: () => most.clear(),
    highest: (name) => Object.fromEntries(most.get(name) ?? []),
  };
}
