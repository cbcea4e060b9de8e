import { readConfig } from '../config.ts';
import { checkMachine } from '../doctor/machine.ts';
import { checkStack } from '../doctor/stack.ts';
import { createReporter } from '../output/reporter.ts';

/** `aigolos doctor`: says what is wrong with this machine or the running stack, and what to do. Exit code 1 where something needed is missing. */
export async function doctor({ json = false }: { json?: boolean }): Promise<void> {
  const config = readConfig();
  const findings = [...(await checkMachine(config)), ...(await checkStack(config))];
  const isHealthy = findings.every(({ state }) => state !== 'bad');
  process.exitCode = isHealthy ? 0 : 1;
  if (json) return console.log(JSON.stringify({ healthy: isHealthy, findings }, null, 2));
  const reporter = createReporter();
  for (const { name, state, detail, remedy } of findings) {
    const tell = { ok: reporter.ok, warning: reporter.warn, bad: reporter.fail }[state];
    tell(name, remedy ? `${detail}: ${remedy}` : detail);
  }
}
