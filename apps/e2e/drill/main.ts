import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { CONTROLS } from './controls/replacements.ts';
import { runDrill } from './drill.ts';
import { inWords } from './report.ts';

/** `npm run drill -- --seed 1 --jobs 2000 --faults 40`: exits with 1 where a promise was not kept; of a control, where all were. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2000' },
    faults: { type: 'string', default: '40' },
    short: { type: 'boolean', default: false },
    control: { type: 'string' },
    json: { type: 'string' },
    log: { type: 'string' },
    'app-logs': { type: 'string' },
  },
});
const control = CONTROLS.find((name) => name === values.control);
if (values.control !== undefined && control === undefined) {
  throw new Error(`--control must be one of ${CONTROLS.join(', ')}`);
}

const report = await runDrill({
  seed: Number(values.seed),
  jobs: Number(values.jobs),
  faults: Number(values.faults),
  isShort: values.short,
  control,
  journalFile: values.log,
  logDir: values['app-logs'],
});
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
process.stdout.write(inWords(report));
const isCaught = report.violations.length > 0;
if (control !== undefined) {
  process.stdout.write(isCaught ? `the control ${control} was caught\n` : `the control ${control} WAS NOT CAUGHT\n`);
}
process.exitCode = isCaught === (control !== undefined) ? 0 : 1;
