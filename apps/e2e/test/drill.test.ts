import { afterAll, expect, test } from 'vitest';
import { type DrillReport, runDrill } from '../drill/drill.ts';
import { inWords } from '../drill/report.ts';

/** Two seeds at once: both mostly wait. */
const SHORT = { jobs: 60, faults: 8, isShort: true };
const reports: Promise<DrillReport>[] = [1, 2].map((seed) => runDrill({ ...SHORT, seed }));
for (const report of reports) report.catch(() => {});
afterAll(() => Promise.allSettled(reports));

test.each([0, 1])(
  'processes, servers and connections are killed, frozen and cut: nothing is lost, nothing happens twice (%i)',
  async (index) => {
    const report = await reports[index];
    if (!report) throw new Error('no drill was run');
    expect(report.violations, inWords(report)).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(SHORT.jobs / 2);
    expect(Object.values(report.faults).reduce((sum, count) => sum + count, 0)).toBe(SHORT.faults);
  },
  480_000,
);
