import { readConfig } from '../config.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkMachine } from '../doctor/machine.ts';
import { checkStack } from '../doctor/stack.ts';
import { interruption } from '../output/interruption.ts';
import { createReporter, type Reporter } from '../output/reporter.ts';

/**
 * `aigolos doctor`: says what is wrong with this machine, the running stack or its data, and what to do; with `repair` it mends
 * the data first. Exit code 1 where something needed is missing.
 */
export async function doctor({ json = false, repair = false }: { json?: boolean; repair?: boolean }): Promise<void> {
  const config = readConfig();
  const reporter = createReporter(json ? (line) => console.error(line) : undefined);
  // Loaded here: it brings the libraries of all stores.
  const { checkData, repairData } = await import('../doctor/data.ts');
  const { signal, ...interrupted } = interruption();
  const repaired = repair ? await repairData({ config, signal }, reporter) : undefined;
  const findings = [
    ...(await checkMachine(config)),
    ...(await checkStack(config)),
    ...(await checkData({ config, signal })),
  ];
  interrupted.stop();
  const isHealthy = findings.every(({ state }) => state !== 'bad');
  process.exitCode = isHealthy ? 0 : 1;
  if (json) return console.log(JSON.stringify({ healthy: isHealthy, findings, repaired }, null, 2));
  for (const finding of findings) tellFinding(finding, reporter);
  if (repaired !== undefined)
    reporter.ok('repair', repaired === 0 ? 'there was nothing to mend' : `${repaired} mended`);
}

function tellFinding({ name, state, detail, remedy }: Finding, reporter: Reporter): void {
  const tell = { ok: reporter.ok, warning: reporter.warn, bad: reporter.fail }[state];
  tell(name, remedy ? `${detail}: ${remedy}` : detail);
}
