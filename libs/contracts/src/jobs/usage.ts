import { z } from 'zod';

/** What a job consumed. Absent fields do not apply to its kind; a job that never started has none. */
export const JobUsageSchema = z.object({
  audioSeconds: z.number().optional(),
  inputCharacters: z.number().int().optional(),
  promptTokens: z.number().int().optional(),
  completionTokens: z.number().int().optional(),
  computeMs: z.number().optional(),
});
export type JobUsage = z.infer<typeof JobUsageSchema>;
