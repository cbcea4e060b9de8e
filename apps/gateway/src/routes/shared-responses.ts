import { JobViewSchema, OpenAIErrorBodySchema, ProblemSchema } from '@aigolos/contracts';
import { z } from 'zod';

/** Of a submission whose client does not wait for its end. */
export const acceptedJob = {
  description: 'The job that was begun, as `Prefer` asks for it',
  content: { 'application/json': { schema: JobViewSchema } },
};

/** What is said when. */
export const subtitleContent = {
  'application/x-subrip': { schema: z.string() },
  'text/vtt': { schema: z.string() },
};

const openAIError = {
  description: "What was wrong, in OpenAI's shape",
  content: { 'application/json': { schema: OpenAIErrorBodySchema } },
};
/** What routes that behave as OpenAI's answer when something is wrong. */
export const openAIErrors = { '4xx': openAIError, '5xx': openAIError };

const problem = {
  description: 'What was wrong, as RFC 9457 problem details',
  content: { 'application/problem+json': { schema: ProblemSchema } },
};
/** What our own routes answer when something is wrong. */
export const problems = { '4xx': problem, '5xx': problem };
