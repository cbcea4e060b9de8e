import { fill, type Order, openBench } from './installation.ts';

const ADDED = 5_000;
const WARM_UP = 500;

/** Jobs added per second, fifty at a time, while so many wait already. */
export async function addRates(waiting: number): Promise<Record<Order, number>> {
  const rates = { fair: 0, fifo: 0 };
  for (const order of ['fair', 'fifo'] as const) {
    const { producer, close } = await openBench();
    await fill(producer, order, WARM_UP, 'first');
    await fill(producer, order, waiting, 'waiting');
    const began = performance.now();
    await fill(producer, order, ADDED, 'added');
    rates[order] = (ADDED * 1_000) / (performance.now() - began);
    await close();
  }
  return rates;
}
