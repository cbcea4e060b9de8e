/** One look at a value: after how many jobs, and what it was. */
export interface Sample {
  jobs: number;
  value: number;
}

/** By how much a value grows in so many jobs: the slope of the line of least squares through the samples. */
export function slopePer(jobs: number, samples: readonly Sample[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(samples.map((sample) => sample.jobs));
  const y = mean(samples.map((sample) => sample.value));
  let products = 0;
  let squares = 0;
  for (const sample of samples) {
    products += (sample.jobs - x) * (sample.value - y);
    squares += (sample.jobs - x) ** 2;
  }
  return squares === 0 ? 0 : (products / squares) * jobs;
}

/**
 * The least value of each stretch of so many jobs. Memory goes up and down between two collections of garbage; what stays is
 * seen in the valleys.
 */
export function valleys(samples: readonly Sample[], stretch: number): Sample[] {
  const stretches = Map.groupBy(samples, (sample) => Math.floor(sample.jobs / stretch));
  return [...stretches.values()].map((ofOne) => ofOne.reduce((least, one) => (one.value < least.value ? one : least)));
}
