/** Median, smallest and largest. */
export function spread(values: number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const [median, smallest, largest] = [sorted[Math.floor(sorted.length / 2)], sorted[0], sorted.at(-1)];
  return `${median?.toFixed(digits)} [${smallest?.toFixed(digits)}-${largest?.toFixed(digits)}]`;
}
