import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { catalogueModel } from '@aigolos/engines/catalogue';
import { measureAccuracy } from './accuracy.ts';
import { measureMemory } from './memory.ts';

/**
 * `npm run bench:long-audio`: what a long file costs a worker in memory, by the test engine (a minute); with `--real` by
 * the real one too, and how its text compares with that of the engine without us (half an hour).
 */

/** A file of an hour may take this much more memory than one of five minutes. */
const MOST_GROWTH = 1.2;
/** The text of a file in chunks may have this much more words wrong, in points, than that of the file in one piece. */
const MOST_LOSS_POINTS = 0.5;

const { values } = parseArgs({
  options: {
    real: { type: 'boolean', default: false },
    model: { type: 'string', default: 'whisper-base' },
    minutes: { type: 'string', default: '12' },
    longest: { type: 'string', default: '60' },
  },
});
const folder = await mkdtemp(join(tmpdir(), 'aigolos-bench-'));
const model = catalogueModel(values.model).id;
const failures: string[] = [];
try {
  for (const engines of values.real ? (['test', 'real'] as const) : (['test'] as const)) {
    const rows = await measureMemory({ engines, model, folder, minutes: [5, Number(values.longest)] });
    rows.forEach(say);
    const [short, long] = rows;
    const growth = (long?.workerMB ?? 0) / (short?.workerMB ?? 1);
    say({ engines, growth });
    if (!(growth <= MOST_GROWTH)) failures.push(`${engines}: memory grows ${growth.toFixed(2)} times`);
  }
  if (values.real) {
    const { inChunks, inOnePiece } = await measureAccuracy({ model, folder, minutes: Number(values.minutes) });
    say({ inChunks, inOnePiece });
    const lossPoints = inChunks.wrongWordsPercent - inOnePiece.wrongWordsPercent;
    if (lossPoints > MOST_LOSS_POINTS) failures.push(`chunks cost ${lossPoints.toFixed(2)} points of word error rate`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.stdout.write(`${failures.join('\n') || 'as promised'}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;

function say(finding: object): void {
  process.stdout.write(`${JSON.stringify(finding)}\n`);
}
