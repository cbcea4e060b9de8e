import { type ImportSummary, importArchives, openArchives, type Tally } from '@aigolos/lifecycle';
import type { ImportCommandOptions } from '../commands/import.ts';
import type { Installation } from '../open-installation.ts';
import { interruption } from '../output/interruption.ts';
import { createReporter } from '../output/reporter.ts';
import { counted } from './in-words.ts';
import { progressBar } from './progress-bar.ts';

/** Brings archives in. Ctrl-C ends it; the same command finishes what it has begun. */
export async function runImport(
  installation: Installation,
  path: string,
  options: ImportCommandOptions,
): Promise<void> {
  const { into, dryRun = false, json } = options;
  const interrupted = interruption();
  const { signal } = interrupted;
  const bar = progressBar(dryRun ? 'reading' : 'reading, then writing', options);
  try {
    const sources = await openArchives(path);
    const summaries = await importArchives(installation, { sources, into, dryRun, signal, onProgress: bar.update });
    bar.stop();
    for (const summary of summaries) {
      if (json) console.log(JSON.stringify({ ...summary, dryRun }));
      else tell(summary, dryRun);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    console.error(dryRun ? 'Interrupted.' : 'Interrupted: the same command finishes it.');
    process.exitCode = interrupted.exitCode;
  } finally {
    bar.stop();
    interrupted.stop();
  }
}

function tell({ name, username, documents, files, changed }: ImportSummary, dryRun: boolean): void {
  const reporter = createReporter();
  const all = together(Object.values(documents));
  const present = `${counted(all.present, 'document')} and ${counted(files.present, 'file')} of ${name} are here already`;
  if (!changed) return reporter.ok(username, `nothing to do: ${present}`);
  const added = `${counted(all.added, 'document')} and ${counted(files.added, 'file')} of ${name}`;
  const advanced = all.advanced > 0 ? `, ${counted(all.advanced, 'conversation')} moved forward` : '';
  reporter.ok(username, `${dryRun ? 'would add' : 'added'} ${added}${advanced}`);
  if (all.present + files.present > 0) reporter.ok(username, present);
  const skipped = all.skipped + files.skipped;
  if (skipped > 0) reporter.warn(username, `${skipped} left out: expired, or deleted here`);
  if (documents['webhook-endpoints'].added > 0) {
    reporter.warn(username, 'webhook endpoints come paused, with new secrets: rotate them, then set them active');
  }
}

function together(tallies: Tally[]): Tally {
  const total: Tally = { added: 0, advanced: 0, present: 0, skipped: 0 };
  for (const tally of tallies) for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += tally[name];
  return total;
}
