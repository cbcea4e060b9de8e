import type { ArchiveSource } from '../archive/archive-source.ts';
import type { DocumentKind } from '../archive/documents.ts';
import { carryOut } from './carry-out.ts';
import { examine } from './examine.ts';
import { conflict, type ImportDeps, type ImportPlan, type Tally } from './plan.ts';

export interface ImportSummary {
  /** The archive. */
  name: string;
  account: string;
  username: string;
  documents: Record<DocumentKind, Tally>;
  files: Tally;
  /** Was there, or would there be, anything to write? */
  changed: boolean;
}

export interface ImportOptions {
  sources: ArchiveSource[];
  /** Adds the data of the one archive to this user, who is there already. */
  into?: string | undefined;
  /** Says what would be done, and does nothing. */
  dryRun: boolean;
  signal: AbortSignal;
  /** In bytes; everything is read twice: examined, then written. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  /** Told what is about to be written, before anything is. */
  onExamined?: ((summaries: ImportSummary[]) => void) | undefined;
}

/**
 * Brings archives into this installation, ids kept. All of them are read to the last byte and compared with what is here
 * before anything is written; what is here already is left as it is, so running it again changes nothing and finishes what
 * was interrupted.
 * @throws ValidationError, ConflictError with the reason; nothing is written then.
 */
export async function importArchives(deps: ImportDeps, options: ImportOptions): Promise<ImportSummary[]> {
  const { sources, into, dryRun, signal } = options;
  refuseDoubles(sources, into);
  const onEntry = progressOf(options);
  const now = new Date();
  const plans: ImportPlan[] = [];
  for (const source of sources) plans.push(await examine(deps, { source, into, now, signal, onEntry }));
  const summaries = plans.map(summarise);
  if (dryRun) return summaries;
  options.onExamined?.(summaries);
  for (const [index, plan] of plans.entries()) {
    if (summaries[index]?.changed) await carryOut(deps, plan, { signal, onEntry });
  }
  return summaries;
}

function refuseDoubles(sources: ArchiveSource[], into: string | undefined): void {
  const seen = new Set<string>();
  for (const source of sources) {
    const { id, username } = source.manifest.account;
    if (seen.has(id)) throw conflict(source, `another of these archives is of ${username} too`);
    seen.add(id);
    if (into !== undefined && sources.length > 1) throw conflict(source, '--into takes one archive at a time');
  }
}

function progressOf({ sources, dryRun, onProgress }: ImportOptions): (entry: { bytes: number }) => void {
  const files = sources.flatMap(({ manifest }) => manifest.files);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0) * (dryRun ? 1 : 2);
  let done = 0;
  return ({ bytes }) => {
    done += bytes;
    onProgress?.(done, total);
  };
}

function summarise({ source, account, documents, files }: ImportPlan): ImportSummary {
  const tallies = [...Object.values(documents), files];
  return {
    name: source.name,
    account: account._id,
    username: account.username,
    documents,
    files,
    changed: tallies.some(({ added, advanced }) => added + advanced > 0),
  };
}
