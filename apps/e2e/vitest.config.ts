import { defineConfig } from 'vitest/config';
import base from '../../vitest.base.ts';

/** Files that look at the clock, on real engines or at real speed: one after another, with nothing beside them. */
const TIMED = ['test/clients.test.ts', 'test/own-gateway.test.ts'];

/** Time for a stack to start, and for a killed worker's lease to run out, where others share the machine too. */
const patience = { testTimeout: 240_000, hookTimeout: 120_000 };

/** Whole stacks on two cores: those that mostly wait run two at a time, first. */
export default defineConfig({
  test: {
    projects: [
      {
        test: { ...base.test, ...patience, name: 'stacks', exclude: TIMED, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        test: {
          ...base.test,
          ...patience,
          name: 'timed',
          include: TIMED,
          isolate: true,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
