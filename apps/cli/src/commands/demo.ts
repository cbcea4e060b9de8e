import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type CliConfig, readConfig } from '../config.ts';
import { type DemoReport, runDemo } from '../demo/demo.ts';
import { createReporter } from '../output/reporter.ts';
import { findRunningStack, startStack } from '../supervisor/stack.ts';

const KENNEDY_SAYS =
  'And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country.';

/**
 * `aigolos demo [file]`: a voice turn on the running stack, or on one that is started and stopped for it. Ends with exit
 * code 0 only if the transcript was right (where it is known) and the spoken answer was understood again.
 */
export async function demo(file: string | undefined, { json = false }: { json?: boolean }): Promise<void> {
  const config = readConfig();
  // Whoever reads JSON reads it from stdout; what a person wants to see meanwhile goes beside it.
  const say = (line: string) => (json ? console.error(line) : console.log(line));
  const running = await findRunningStack(config);
  const own = running ? undefined : await startStack(config, { reporter: createReporter(say, false) });
  const stack = running ?? own;
  if (!stack) throw new Error('a stack was neither found nor started');
  try {
    const speechFile = join(config.paths.home, 'demo', 'answer.mp3');
    await mkdir(dirname(speechFile), { recursive: true });
    const report = await runDemo({ ...stack, ...audio(file, config), speechFile, onStep: say });
    if (json) console.log(JSON.stringify(report, null, 2));
    else for (const line of summary(report)) console.log(line);
    process.exitCode = report.passed ? 0 : 1;
  } finally {
    await own?.stop();
  }
}

function audio(file: string | undefined, { paths }: CliConfig): { audioFile: string; reference?: string } {
  if (file !== undefined) return { audioFile: resolve(file) };
  return { audioFile: join(paths.root, 'libs', 'testing', 'fixtures', 'audio', 'jfk.flac'), reference: KENNEDY_SAYS };
}

function* summary(report: DemoReport): Generator<string> {
  yield '';
  for (const { id, kind, status, model, seconds, engineSeconds } of report.jobs) {
    const times = `${seconds.toFixed(2).padStart(6)} s, engine ${engineSeconds.toFixed(2)} s`;
    yield `${kind.padEnd(13)} ${status.padEnd(10)} ${times.padEnd(24)} ${(model ?? '').padEnd(24)} ${id}`;
  }
  yield '';
  if (report.wordErrorRate !== null) yield `word error rate of the transcript: ${report.wordErrorRate.toFixed(3)}`;
  yield `words of the answer heard again: ${report.wordsInCommon.join(' ') || 'none'}`;
  yield report.passed ? 'passed' : 'FAILED';
}
