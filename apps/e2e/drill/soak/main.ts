import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { runSoak } from './soak.ts';

/** `npm run soak -- --jobs 50000`: exits with 1 where something grows. */
const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '50000' },
    'at-once': { type: 'string', default: '32' },
    json: { type: 'string' },
  },
});
const report = await runSoak({
  jobs: Number(values.jobs),
  atOnce: Number(values['at-once']),
  onProgress: (line) => process.stdout.write(`${line}\n`),
});
const { jobs, failed, seconds, jobsPerSecond, growth } = report;
process.stdout.write(`${jobs} jobs in ${seconds} s, ${jobsPerSecond.toFixed(1)} a second, ${failed} failed\n`);
for (const { process: name, memoryMb, files, mb, passes } of growth) {
  const figures = `${memoryMb.toFixed(2)} MB and ${files.toFixed(1)} files in 10,000 jobs, ${mb.toFixed(0)} MB in the end`;
  process.stdout.write(`${passes ? 'flat ' : 'GROWS'} ${name.padEnd(22)} ${figures}\n`);
}
if (values.json) await writeFile(values.json, JSON.stringify(report));
process.exitCode = report.passes ? 0 : 1;
