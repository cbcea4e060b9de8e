import { z } from 'zod';
import { FileExpirySchema } from '../http/files.ts';
import { JobUsageSchema } from './usage.ts';

/** Routes whose calls a batch may be made of: OpenAI's, as far as they are here, and those that take audio and make it. */
export const BATCH_ENDPOINTS = [
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/audio/transcriptions',
  '/v1/audio/translations',
  '/v1/audio/speech',
] as const;
export type BatchEndpoint = (typeof BATCH_ENDPOINTS)[number];

/** What the gateway is asked to do: make each line of a file a call, and put what came of them in files. */
export const BatchTaskSchema = z.object({
  endpoint: z.string(),
  /** Id of the file. */
  inputFile: z.string(),
  completionWindow: z.string(),
  /** When what has not ended by then expires, in Unix milliseconds. */
  windowEndsAt: z.number(),
  /** Of the files that are made. */
  outputExpiry: FileExpirySchema.optional(),
});
export type BatchTask = z.infer<typeof BatchTaskSchema>;

/** What is wrong with a line of the input, or with all of it. Lines are counted from 1. */
export const BatchProblemSchema = z.object({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
  line: z.number().int().nullable(),
});
export type BatchProblem = z.infer<typeof BatchProblemSchema>;

export const BatchCountsSchema = z.object({
  total: z.number().int(),
  completed: z.number().int(),
  failed: z.number().int(),
});
export type BatchCounts = z.infer<typeof BatchCountsSchema>;

export const BatchResultSchema = z.object({
  counts: BatchCountsSchema,
  /** Ids of the files of what came of the lines, and of those that failed; each only where there are such lines. */
  outputFile: z.string().optional(),
  errorFile: z.string().optional(),
  /** Of all lines together; each has its own in the record of its job, which is what is counted. */
  usage: JobUsageSchema,
  /** Why none of the lines was run. */
  problems: z.array(BatchProblemSchema),
  /** When the last line had ended and the files were begun, in Unix milliseconds. */
  finalizingAt: z.number().optional(),
});
export type BatchResult = z.infer<typeof BatchResultSchema>;

/** How far a batch is. Another version starts over, and finds the jobs of the lines that it submits again. */
export const BatchCheckpointSchema = z.object({
  version: z.literal(1),
  counts: BatchCountsSchema,
  /** Lines that are done, as ranges from the first to the last one, both included, in ascending order. */
  done: z.array(z.tuple([z.number().int(), z.number().int()])),
  /** So many pieces of each file every attempt has written that came so far. */
  pieces: z.array(z.object({ fence: z.number().int(), output: z.number().int(), error: z.number().int() })),
  /** Of the lines that are done, together. */
  usage: JobUsageSchema,
  finalizingAt: z.number().optional(),
});
export type BatchCheckpoint = z.infer<typeof BatchCheckpointSchema>;
