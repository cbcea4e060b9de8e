import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore } from '@aigolos/blob-store';
import type { Processor } from '@aigolos/jobs';
import { ARCHIVE_SUFFIX, type ExportDeps, exportToArchive } from '@aigolos/lifecycle';

export interface ExportProcessorDeps extends ExportDeps {
  blobs: ExportDeps['blobs'] & Pick<BlobStore, 'spoolDir' | 'commit' | 'discard'>;
}

/** Exports everything that the job's account has as one archive, which becomes a file of the job. */
export function createExportProcessor(deps: ExportProcessorDeps): Processor<'export'> {
  const { blobs } = deps;
  return async ({ job: { _id: id, account, fence }, signal, reportProgress }) => {
    await mkdir(blobs.spoolDir, { recursive: true });
    const path = join(blobs.spoolDir, `${id}-${fence}${ARCHIVE_SUFFIX}`);
    const { summary, archive } = await exportToArchive(deps, {
      account,
      path,
      workDir: blobs.spoolDir,
      signal,
      onProgress: (done, total) => reportProgress(total === 0 ? 1 : done / total),
    });
    const blobKey = `${id}/export-${fence}${ARCHIVE_SUFFIX}`;
    try {
      signal.throwIfAborted();
      await blobs.commit({ path, ...archive }, blobKey);
    } catch (error) {
      await blobs.discard({ path, ...archive });
      throw error;
    }
    const documents = Object.values(summary.documents).reduce((sum, count) => sum + count, 0);
    const warnings =
      summary.unfinished > 0
        ? [`Jobs that had not ended, or that a later version made, were left out: ${summary.unfinished}.`]
        : [];
    return {
      result: { blobKey, contentType: 'application/zstd', ...archive, documents, files: summary.files },
      usage: {},
      warnings,
    };
  };
}
