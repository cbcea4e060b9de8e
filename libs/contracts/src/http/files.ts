import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { openEnum } from './common.ts';

/** What a client may upload a file for. */
export const FILE_PURPOSES = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const;
export type FilePurpose = (typeof FILE_PURPOSES)[number];
/** What a file is for: `batch_output` is what a batch has made. */
export const STORED_FILE_PURPOSES = [...FILE_PURPOSES, 'batch_output'] as const;
export type StoredFilePurpose = (typeof STORED_FILE_PURPOSES)[number];

export const FilePurposeSchema = z.enum(FILE_PURPOSES, { error: `must be one of ${FILE_PURPOSES.join(', ')}` });

const secondsError = `must be a whole number of seconds from ${LIMITS.fileLeastSeconds} (1 hour) to ${LIMITS.fileMostSeconds} (30 days)`;

/** When a file goes by itself. */
export const FileExpirySchema = z.object({
  anchor: z.literal('created_at', { error: 'must be "created_at"' }),
  seconds: z.coerce
    .number({ error: secondsError })
    .int({ error: secondsError })
    .min(LIMITS.fileLeastSeconds, { error: secondsError })
    .max(LIMITS.fileMostSeconds, { error: secondsError }),
});
export type FileExpiry = z.infer<typeof FileExpirySchema>;

/** Kept for those who made it and told back to them: never a part of a path. */
export const FileNameSchema = z.string().min(1).max(512);

/** The form fields beside `file`. */
export const FileFieldsSchema = z.strictObject({
  purpose: FilePurposeSchema,
  expires_after: FileExpirySchema.optional(),
});

/** The whole form, as it is documented; the file is streamed to the blob store and never a value here. */
export const FileFormSchema = z
  .object({ ...FileFieldsSchema.shape, file: z.file().describe('Anything') })
  .meta({ id: 'FileForm' });

/** OpenAI's file object. Times are Unix seconds. */
export const FileViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.number().int(),
    created_at: z.number().int(),
    expires_at: z.number().int().optional().describe('Absent where it is kept until somebody deletes it'),
    filename: z.string(),
    purpose: openEnum(STORED_FILE_PURPOSES),
    status: z.literal('processed'),
  })
  .meta({ id: 'File' });
export type FileView = z.infer<typeof FileViewSchema>;

const FILES_A_PAGE = 10_000;

export const FileListQuerySchema = z.object({
  purpose: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(FILES_A_PAGE).default(FILES_A_PAGE),
  order: z.enum(['asc', 'desc'], { error: 'must be asc or desc' }).default('desc'),
  after: z.string().optional().describe('Id of the last file of the page before'),
});
export type FileListQuery = z.infer<typeof FileListQuerySchema>;

export const FileListSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(FileViewSchema),
    first_id: z.string().describe('Empty where nothing is on the page'),
    last_id: z.string().describe('Empty where nothing is on the page'),
    has_more: z.boolean(),
  })
  .meta({ id: 'FileList' });

export const FileDeletedSchema = z
  .object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })
  .meta({ id: 'FileDeleted' });
