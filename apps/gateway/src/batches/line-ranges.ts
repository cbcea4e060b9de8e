/** Ranges of numbers, ascending and apart from each other; both ends belong to them. */
export type Ranges = [number, number][];

/** Adds a number. What is added next to each other becomes one range, so that what is nearly whole is short. */
export function addTo(ranges: Ranges, number: number): void {
  let place = ranges.findIndex(([, last]) => last >= number - 1);
  if (place === -1) place = ranges.length;
  const here = ranges[place];
  if (!here || here[0] > number + 1) return void ranges.splice(place, 0, [number, number]);
  here[0] = Math.min(here[0], number);
  here[1] = Math.max(here[1], number);
  const next = ranges[place + 1];
  if (!next || next[0] > here[1] + 1) return;
  here[1] = Math.max(here[1], next[1]);
  ranges.splice(place + 1, 1);
}

export function isIn(ranges: Ranges, number: number): boolean {
  return ranges.some(([first, last]) => first <= number && number <= last);
}
