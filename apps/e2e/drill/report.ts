import type { DrillReport } from './drill.ts';

const SHOWN = 10;

/** The report in words, for a terminal. */
export function inWords(report: DrillReport): string {
  const { seed, control, violations, recovery } = report;
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${Number.isInteger(count) ? count : count.toFixed(3)}`)
      .join(', ') || 'none';
  const lines = [
    `seed ${seed}${control === undefined ? '' : `, control ${control}`}: ${report.operations} operations in ${report.seconds} s`,
    `acknowledged   ${report.acknowledged}; without an answer ${report.unknown}`,
    `final states   ${list(report.byStatus)}`,
    `faults         ${list(report.faults)}`,
    `repairs        ${list(report.repairs)}; inconsistencies ${list(report.inconsistenciesRepaired)}`,
    `died unbidden  ${report.unwantedEnds.join(', ') || 'none'}`,
    `event loop p99 ${list(report.eventLoopDelayP99Seconds)} s at most, in the aftermath`,
    ...Object.values(recovery).map(({ meaning, wanted, times }) => {
      if (!times) return `not seen       ${meaning}`;
      if (!wanted) return `${`${times.p95} ms`.padEnd(14)} ${meaning} (p95 of ${times.count})`;
      const met = times[wanted.of] <= wanted.ms ? 'met' : 'not met';
      return `${`${times[wanted.of]} ms`.padEnd(14)} ${meaning} (${wanted.of} of ${times.count}, wanted ${wanted.ms} ms: ${met})`;
    }),
  ];
  const byRule = Object.entries(Object.groupBy(violations, ({ rule }) => rule));
  lines.push(violations.length === 0 ? '0 lost, 0 doubled' : `${violations.length} VIOLATIONS`);
  for (const [rule, ofRule = []] of byRule) {
    lines.push(`  ${rule}: ${ofRule.length}`);
    for (const { about, what } of ofRule.slice(0, SHOWN)) lines.push(`    ${about} ${what}`);
    const [first] = ofRule;
    lines.push(...(first?.history ?? []).map((line) => `      ${line}`));
  }
  return `${lines.join('\n')}\n`;
}
