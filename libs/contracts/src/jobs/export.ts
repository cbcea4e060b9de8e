import { z } from 'zod';

/** What worker-maintenance is asked to export: everything that the job's account has. */
export const ExportTaskSchema = z.strictObject({});
export type ExportTask = z.infer<typeof ExportTaskSchema>;

/** The archive lies in the blob store; its key carries the fence, so a late writer cannot overwrite the winner's. */
export const ExportResultSchema = z.object({
  blobKey: z.string(),
  contentType: z.string(),
  bytes: z.number(),
  /** Of the archive, lower-case hex. */
  sha256: z.string(),
  documents: z.number().int(),
  files: z.number().int(),
});
export type ExportResult = z.infer<typeof ExportResultSchema>;
