import { createLogger } from '@aigolos/runtime';

/** Where the gateway and the worker of the queue path meet. */
export interface Stores {
  redisUrl: string;
  queuePrefix: string;
  mongoUrl: string;
}

/** The stores as the one argument of a program. */
export const storesFrom = (argument = '{}') => JSON.parse(argument) as Stores;

/** What is said as in production, and goes nowhere. */
export const silentLog = () => createLogger({ service: 'bench', level: 'info' }, { write: () => {} });
