import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { openEnum } from './common.ts';
import { FILE_PURPOSES, FileExpirySchema, FileNameSchema, FilePurposeSchema, FileViewSchema } from './files.ts';

export const UPLOAD_STATUSES = ['pending', 'completed', 'cancelled'] as const;
export type UploadStatus = (typeof UPLOAD_STATUSES)[number];

export const UploadRequestSchema = z
  .strictObject({
    filename: FileNameSchema,
    purpose: FilePurposeSchema,
    bytes: z.number().int().min(1),
    mime_type: z.string().min(1).max(255).describe('Taken as OpenAI has it; the content is what counts'),
    expires_after: FileExpirySchema.optional().describe('Of the file'),
  })
  .meta({ id: 'UploadRequest' });
export type UploadRequest = z.infer<typeof UploadRequestSchema>;

/** The form of one part; it is streamed to the blob store and never a value here. */
export const UploadPartFormSchema = z
  .object({ data: z.file().describe(`Up to ${LIMITS.uploadPartBytes} bytes`) })
  .meta({ id: 'UploadPartForm' });

export const UploadPartViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('upload.part'),
    created_at: z.number().int(),
    upload_id: z.string(),
  })
  .meta({ id: 'UploadPart' });
export type UploadPartView = z.infer<typeof UploadPartViewSchema>;

export const UploadCompletionSchema = z
  .strictObject({
    part_ids: z.array(z.string()).min(1).max(LIMITS.uploadParts).describe('In the order of the file'),
    md5: z
      .string()
      .regex(/^[0-9a-f]{32}$/i, { error: 'must be an MD5 digest: 32 hexadecimal digits' })
      .optional()
      .describe('Of the whole file'),
  })
  .meta({ id: 'UploadCompletion' });
export type UploadCompletion = z.infer<typeof UploadCompletionSchema>;

/** OpenAI's upload object. Times are Unix seconds. */
export const UploadViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('upload'),
    bytes: z.number().int(),
    created_at: z.number().int(),
    expires_at: z.number().int(),
    filename: z.string(),
    purpose: openEnum(FILE_PURPOSES),
    status: openEnum(UPLOAD_STATUSES),
    file: FileViewSchema.nullable(),
  })
  .meta({ id: 'Upload' });
export type UploadView = z.infer<typeof UploadViewSchema>;
